/* predict.c - an example for libreluopt: classes of the samples on standard input.
 *
 *     cc predict.c -o predict $(pkg-config --cflags --libs reluopt)
 *     ./predict runs/mine/checkpoint.h5 < samples.txt # LD_LIBRARY_PATH=PREFIX/lib if it finds no library
 *
 * A sample is as many numbers as the network has features, separated by blanks or line ends. */
#include <reluopt/model.h>
#include <stdio.h>
#include <stdlib.h>

/* Read one sample: how many of its numbers there were. */
static size_t read_sample(float *x, size_t features)
{
    size_t count = 0;
    while (count < features && scanf("%f", &x[count]) == 1)
        count++;
    return count;
}

static void print_class(const ReluoptModel *model, const float *probability)
{
    size_t best = 0;
    for (size_t c = 1; c < reluopt_model_classes(model); c++)
        if (probability[c] > probability[best])
            best = c;
    printf("%s %.4f\n", reluopt_model_class_name(model, best), probability[best]);
}

int main(int argc, char **argv)
{
    ReluoptModel *model;
    char message[RELUOPT_MODEL_MESSAGE];
    int code = argc == 2 ? reluopt_model_load(&model, argv[1], message) : RELUOPT_USAGE;
    if (code != RELUOPT_OK) {
        fprintf(stderr, "predict: %s\n", argc == 2 ? message : "usage: predict CHECKPOINT < SAMPLES");
        return code;
    }
    size_t features = reluopt_model_features(model), count = 0;
    float *x = malloc(features * sizeof *x);
    float *probability = malloc(reluopt_model_classes(model) * sizeof *probability);
    if (!x || !probability) {
        fprintf(stderr, "predict: no memory for a sample of %zu numbers\n", features);
        code = RELUOPT_MEMORY;
    }
    while (code == RELUOPT_OK && (count = read_sample(x, features)) == features) {
        code = reluopt_model_predict(model, x, 1, probability, message);
        if (code == RELUOPT_OK)
            print_class(model, probability);
        else
            fprintf(stderr, "predict: %s\n", message);
    }
    if (code == RELUOPT_OK && (count > 0 || !feof(stdin))) {
        fprintf(stderr, "predict: the last sample has %zu numbers, not %zu\n", count, features);
        code = RELUOPT_DATA;
    }
    free(probability);
    free(x);
    reluopt_model_free(model);
    return code;
}
