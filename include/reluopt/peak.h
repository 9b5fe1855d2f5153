/* peak.h - what this processor can do at best: the floor under every product. */
#ifndef RELUOPT_PEAK_H
#define RELUOPT_PEAK_H

#include <stdint.h>

/* Multiply and add floats in the widest vectors that the program was built for, in registers alone, for some
 * milliseconds.  Returns the number of floating-point operations.  Not collective. */
uint64_t reluopt_peak_work(void);

#endif
