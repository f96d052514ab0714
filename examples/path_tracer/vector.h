// Vectors and colours of three floats.
#ifndef VECTOR_H
#define VECTOR_H

#include <math.h>

typedef struct {
  float x, y, z;
} Vector;

static inline Vector vector(float x, float y, float z) { return (Vector){x, y, z}; }
static inline Vector add(Vector a, Vector b) { return vector(a.x + b.x, a.y + b.y, a.z + b.z); }
static inline Vector subtract(Vector a, Vector b) { return vector(a.x - b.x, a.y - b.y, a.z - b.z); }
static inline Vector multiply(Vector a, Vector b) { return vector(a.x * b.x, a.y * b.y, a.z * b.z); }
static inline Vector scale(Vector a, float s) { return vector(a.x * s, a.y * s, a.z * s); }
static inline float dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static inline Vector cross(Vector a, Vector b) {
  return vector(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline Vector normalise(Vector a) { return scale(a, 1.0f / sqrtf(dot(a, a))); }
static inline Vector mix(Vector a, Vector b, float t) { return add(scale(a, 1.0f - t), scale(b, t)); }
static inline Vector reflect(Vector direction, Vector normal) {
  return subtract(direction, scale(normal, 2.0f * dot(direction, normal)));
}
static inline float largest(Vector a) { return fmaxf(a.x, fmaxf(a.y, a.z)); }

#endif
