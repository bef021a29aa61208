#!/bin/sh
# Ten jobs, four workers, one dispatcher. The project is the directory ./project.
set -e
cd "$(dirname "$0")"
# In a fresh clone nothing is built yet. The commands are those of this package, installed or not.
[ -e ../dist/src/index.js ] || node ../scripts/setup.js
recruiter() { node ../bin/recruiter.js "$@"; }
dispatcher() { node ../bin/dispatcher.js "$@"; }
FJORD_PROJECT="$(pwd)/project"
export FJORD_PROJECT

./create-jobs.sh "$FJORD_PROJECT"
recruiter hire 4
dispatcher
echo
echo "The workers wait for more. Fire them with:  node $(dirname "$(pwd)")/bin/recruiter.js fire --project $FJORD_PROJECT"
echo "Results:" data/*
