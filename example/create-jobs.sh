#!/bin/sh
# Copies ten job files into the queue of the project in $1, as a person would do it.
set -e
here=$(cd "$(dirname "$0")" && pwd)
project=$1
jobs=$(mktemp -d)
for i in 0 1 2 3 4 5 6 7 8 9; do
  cat >"$jobs/job$i.ini" <<JOB
[control]
executable: ./ajob.sh
logfile: data/job$i.dat
workdir: $here

[params]
param1: value$i
JOB
done
mkdir -p "$project/jobqueue"
cp "$jobs"/*.ini "$project/jobqueue/"
rm -r "$jobs"
