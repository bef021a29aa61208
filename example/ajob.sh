#!/bin/sh
# A job. Its last argument is its job file. The job reads its parameter from this file, and writes its
# result to the log file that the job file names.
jobfile=$1
param1=$(sed -n 's/^param1[:=] *//p' "$jobfile")
sleep 0.2
echo "$(basename "$jobfile") worked on $param1 in attempt $FJORD_ATTEMPT" >"$FJORD_LOGFILE"
