/* augment.h - training samples changed at random on their way into a batch: moved, mirrored, noisy.
 *
 * Images are moved as they were before preprocessing, so that a pixel keeps its brightness and takes on the
 * scale of the place where it arrives.  What is drawn is a function of the seed, the step and the place in the
 * batch.  Rank 0 alone; not collective. */
#ifndef RELUOPT_AUGMENT_H
#define RELUOPT_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "reluopt/config.h"
#include "reluopt/random.h"
#include "reluopt/samples.h"

enum { RELUOPT_AUGMENT_ROOM = 16 }; /* moved images that exist at a time */

typedef struct Augment {
    const Config *config;  /* seed, augment */
    const Preprocess *pre; /* elementwise */
    size_t height, width;  /* of a plane of the images; an image has one or more */
    float sigma;           /* of the noise */
    float *plane;          /* height x width  scratch */
    size_t *column;        /* width  scratch: where the pixels of a row come from */
    float *image;          /* RELUOPT_AUGMENT_ROOM x features */
    bool *mirrored;        /* classes  whether flip applies */
} Augment;

/* Whether the configuration asks for any change. */
bool reluopt_augments(const Config *config);

/* For training samples that were preprocessed by `pre`; config and pre must outlive it.  Errors: RELUOPT_USAGE
 * where images are to be moved and the samples are none, RELUOPT_MEMORY; free it then too.
 * flip alike: a class is mirrored when ||m - mirrored m||^2 < 1/2 min ||m - m_other||^2, with m the mean raw
 * image of its samples and m_other that of another class. */
int reluopt_augment_create(Augment *augment, const Config *config, const Preprocess *pre, const Samples *train,
                           size_t classes, Error *error);
void reluopt_augment_free(Augment *augment);

/* What the images of step number `step` are moved by: a draw for each, in the order of the batch. */
Stream reluopt_augment_stream(const Augment *augment, uint64_t step);

/* The sample x (preprocessed) of class `label` moved by the next draw: in place `room` of the augment's, or x
 * itself where images are not moved. */
const float *reluopt_augment_image(const Augment *augment, const float *x, int label, Stream *stream,
                                   size_t room);

/* x, features x columns, those from `first` on of a batch: noise is added, for step number `step`. */
void reluopt_augment_noise(const Augment *augment, float *x, size_t first, size_t columns, uint64_t step);

/* How an image is moved: out(i, j) = in(i + down, j + right), or in(i + down, width-1 - (j + right)) where it
 * is mirrored; beyond its edges an image goes on with the nearest pixel. */
typedef struct Move {
    int down, right; /* uniform in -shift .. shift */
    bool mirrored;   /* with flip, half of the time */
} Move;

/* out = the sample x moved; both are preprocessed. */
void reluopt_move_image(const Augment *augment, const float *x, Move move, float *out);

#endif
