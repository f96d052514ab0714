// What is rendered: read from a text file, one thing a line; README.md has the words.
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stdio.h>

#include "vector.h"

#define MAX_SPHERES 64
#define MAX_LIGHTS 8

typedef enum { DIFFUSE, METAL, GLASS, COATED, LIGHT } Kind;

typedef struct {
  Kind kind;
  Vector colour;  // Reflectance, or emitted radiance.
  float detail;   // Roughness of metal, refractive index of glass.
} Material;

typedef struct {
  Vector centre;
  float radius;
  Material material;
} Sphere;

typedef struct {
  int width, height, samples, bounces;
  Vector eye, target;
  float field_of_view, aperture;  // Degrees, top to bottom; diameter of the lens.
  Vector horizon, zenith;         // Radiance of the sky.
  bool has_floor;
  float floor_height;
  Vector floor_colours[2];
  int sphere_count, light_count;
  Sphere spheres[MAX_SPHERES];
  int lights[MAX_LIGHTS];  // Indices of the spheres that are lights.
} Scene;

// False, and a message on standard error, where the file says what nobody understands.
bool read_scene(FILE *file, Scene *scene);

#endif
