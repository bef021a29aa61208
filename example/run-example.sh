#!/bin/sh
# Runs ten jobs with four workers and one dispatcher, in the project ./project.
set -e
cd "$(dirname "$0")"
# Builds fjord in a fresh clone. The commands of this clone are used, even if fjord is installed.
[ -e ../dist/src/index.js ] || node ../scripts/setup.js
recruiter() { node ../bin/recruiter.js "$@"; }
dispatcher() { node ../bin/dispatcher.js "$@"; }
FJORD_PROJECT="$(pwd)/project"
export FJORD_PROJECT

./create-jobs.sh "$FJORD_PROJECT"
recruiter hire 4
dispatcher
echo
echo "The workers wait for more jobs. Fire them with:  node $(dirname "$(pwd)")/bin/recruiter.js fire --project $FJORD_PROJECT"
echo "Results:" data/*
