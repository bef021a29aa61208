#!/bin/sh
# A job: gets its job file as the last argument, reads its parameter there, and writes its result
# to the logfile that the job file names.
jobfile=$1
param1=$(sed -n 's/^param1[:=] *//p' "$jobfile")
sleep 0.2
echo "$(basename "$jobfile") worked on $param1 in attempt $FJORD_ATTEMPT" >"$FJORD_LOGFILE"
