// Light, by following paths from the camera.
#ifndef RENDER_H
#define RENDER_H

#include "scene.h"

// What one pixel saw: light, colour and normal of the first rough surface, distance of the first surface at all.
typedef struct {
  Vector light, colour, normal;
  float distance;
} Pixel;

// Fills `width * height` pixels, row after row from the top.
void render(const Scene *scene, Pixel *pixels);

#endif
