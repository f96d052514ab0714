// Smooths what few samples leave rough.
#ifndef DENOISE_H
#define DENOISE_H

#include "render.h"

// Evens out the light of pixels, not across edges of surfaces. `other` is as large as `pixels`, and overwritten.
void denoise(Pixel *pixels, Pixel *other, int width, int height);

#endif
