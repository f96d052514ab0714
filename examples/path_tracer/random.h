// PCG32 (O'Neill 2014): one stream a pixel, so that the picture does not depend on the order of the pixels.
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

typedef struct {
  uint64_t state, stream;
} Random;

static inline uint32_t random_bits(Random *random) {
  uint64_t old = random->state;
  random->state = old * 6364136223846793005u + random->stream;
  uint32_t shifted = (uint32_t)(((old >> 18) ^ old) >> 27);
  uint32_t turn = (uint32_t)(old >> 59);
  return (shifted >> turn) | (shifted << ((-turn) & 31));
}

static inline Random random_of_pixel(uint32_t pixel) {
  Random random = {0, ((uint64_t)pixel << 1) | 1};
  random_bits(&random);
  random.state += 0x853c49e6748fea9bu;
  random_bits(&random);
  return random;
}

// Uniform in [0, 1).
static inline float random_float(Random *random) { return (float)(random_bits(random) >> 8) * 0x1p-24f; }

#endif
