/* stop.h - requests to end a run early: signals, a file in the run folder, the clock. */
#ifndef RELUOPT_STOP_H
#define RELUOPT_STOP_H

#include "reluopt/run.h"

/* Later ones win where several ranks have different ones. */
typedef enum StopReason { STOP_NONE, STOP_TIME, STOP_FILE, STOP_INT, STOP_TERM, STOP_USR1 } StopReason;

/* From now on the signals USR1, TERM and INT are noted, however often they come, instead of ending the process;
 * max_time counts from here.  To be called before MPI_Init, which takes a while.  Not collective. */
void reluopt_stop_listen(void);

/* Why this rank wants the run to stop now: a signal (any rank), the file "stop" in the run folder or the clock
 * (rank 0 alone).  Not collective. */
StopReason reluopt_stop_asked(const Run *run);

#endif
