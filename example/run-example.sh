#!/bin/sh
# Ten jobs, four workers, one dispatcher. The project is the directory ./project.
set -e
cd "$(dirname "$0")"
PATH="$(cd .. && pwd)/node_modules/.bin:$PATH"
command -v recruiter >/dev/null || PATH="$(cd ../bin && pwd):$PATH"
FJORD_PROJECT="$(pwd)/project"
export FJORD_PROJECT

./create-jobs.sh "$FJORD_PROJECT"
recruiter hire 4
dispatcher
echo
echo "The workers wait for more. Fire them with:  recruiter fire --project $FJORD_PROJECT"
echo "Results:" data/*
