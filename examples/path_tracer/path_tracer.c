// path_tracer SCENE [PICTURE]: renders a scene to picture.png.
#include <stdio.h>
#include <stdlib.h>

#include "denoise.h"
#include "png.h"
#include "render.h"
#include "scene.h"

#define EXPOSURE 0.7f

// Radiance to display: a curve that keeps bright colours (Narkowicz 2016), then sRGB (IEC 61966-2-1).
static uint8_t displayed(float radiance) {
  float light = radiance * EXPOSURE;
  float curved = light * (2.51f * light + 0.03f) / (light * (2.43f * light + 0.59f) + 0.14f);
  float linear = fminf(fmaxf(curved, 0), 1);
  float encoded = linear <= 0.0031308f ? 12.92f * linear : 1.055f * powf(linear, 1 / 2.4f) - 0.055f;
  return (uint8_t)(encoded * 255 + 0.5f);
}

static int fail(const char *what, const char *path) {
  fprintf(stderr, "%s %s\n", what, path);
  return 1;
}

int main(int count, char **arguments) {
  static Scene scene;
  if (count < 2 || count > 3) return fail("usage: path_tracer SCENE", "[PICTURE]");
  const char *picture = count > 2 ? arguments[2] : "picture.png";
  FILE *file = fopen(arguments[1], "r");
  if (!file) return fail("there is no scene", arguments[1]);
  bool understood = read_scene(file, &scene);
  fclose(file);
  if (!understood) return 1;

  size_t pixel_count = (size_t)scene.width * (size_t)scene.height;
  Pixel *pixels = malloc(pixel_count * sizeof *pixels);
  Pixel *other = malloc(pixel_count * sizeof *other);
  uint8_t *bytes = malloc(pixel_count * 3);
  if (!pixels || !other || !bytes) return fail("too little memory for", picture);

  render(&scene, pixels);
  denoise(pixels, other, scene.width, scene.height);
  for (size_t i = 0; i < pixel_count; i++) {
    bytes[3 * i] = displayed(pixels[i].light.x);
    bytes[3 * i + 1] = displayed(pixels[i].light.y);
    bytes[3 * i + 2] = displayed(pixels[i].light.z);
  }
  if (!write_png(picture, bytes, (uint32_t)scene.width, (uint32_t)scene.height)) return fail("cannot write", picture);
  printf("%s: %d x %d pixels, %d samples each\n", picture, scene.width, scene.height, scene.samples);
  return 0;
}
