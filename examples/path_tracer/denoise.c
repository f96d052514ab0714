// An edge-avoiding à-trous filter (Dammertz et al. 2010): light without the surface's colour is averaged over ever wider neighbourhoods,
// weighted by how alike normal, colour, distance and light are.
#include "denoise.h"

#define PASSES 3
#define DARKEST 0.02f

static Vector divided(Vector light, Vector colour) {
  return vector(light.x / fmaxf(colour.x, DARKEST), light.y / fmaxf(colour.y, DARKEST), light.z / fmaxf(colour.z, DARKEST));
}

static Vector multiplied(Vector light, Vector colour) {
  return vector(light.x * fmaxf(colour.x, DARKEST), light.y * fmaxf(colour.y, DARKEST), light.z * fmaxf(colour.z, DARKEST));
}

static float squared_length(Vector a) { return dot(a, a); }

// Light as the eye compares it.
static Vector perceived(Vector light) {
  return vector(light.x / (1 + light.x), light.y / (1 + light.y), light.z / (1 + light.z));
}

static float alike(const Pixel *a, const Pixel *b, float tolerance) {
  float depth = (a->distance - b->distance) / (0.1f + 0.03f * a->distance);
  float light = squared_length(subtract(perceived(a->light), perceived(b->light))) / (tolerance * tolerance);
  float difference = 8.0f * squared_length(subtract(a->normal, b->normal)) +
                     40.0f * squared_length(subtract(a->colour, b->colour)) + depth * depth + light;
  // (1 − x/8)^8 is close to e^−x and needs no table.
  float kept = fmaxf(0, 1.0f - difference / 8);
  kept *= kept;
  kept *= kept;
  return kept * kept;
}

static void smooth(const Pixel *from, Pixel *to, int width, int height, int step, float tolerance) {
  static const float kernel[3] = {0.375f, 0.25f, 0.0625f};
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      const Pixel *centre = &from[y * width + x];
      Vector sum = vector(0, 0, 0);
      float weights = 0;
      for (int down = -2; down <= 2; down++) {
        for (int right = -2; right <= 2; right++) {
          int column = x + right * step, row = y + down * step;
          if (column < 0 || column >= width || row < 0 || row >= height) continue;
          const Pixel *other = &from[row * width + column];
          float weight = kernel[right < 0 ? -right : right] * kernel[down < 0 ? -down : down];
          weight *= alike(centre, other, tolerance);
          sum = add(sum, scale(other->light, weight));
          weights += weight;
        }
      }
      Pixel *made = &to[y * width + x];
      *made = *centre;
      made->light = scale(sum, 1.0f / weights);
    }
  }
}

// A pixel that is brighter than all around it is a stray path, one that is darker an unlucky one: both become like their neighbours.
static void despeckle(const Pixel *from, Pixel *to, int width, int height) {
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      Vector low = vector(1e9f, 1e9f, 1e9f), high = vector(0, 0, 0);
      for (int row = y - 1; row <= y + 1; row++) {
        for (int column = x - 1; column <= x + 1; column++) {
          if (column < 0 || column >= width || row < 0 || row >= height || (row == y && column == x)) continue;
          Vector light = from[row * width + column].light;
          low = vector(fminf(low.x, light.x), fminf(low.y, light.y), fminf(low.z, light.z));
          high = vector(fmaxf(high.x, light.x), fmaxf(high.y, light.y), fmaxf(high.z, light.z));
        }
      }
      Vector light = from[y * width + x].light;
      light = vector(fminf(light.x, high.x), fminf(light.y, high.y), fminf(light.z, high.z));
      to[y * width + x] = from[y * width + x];
      to[y * width + x].light = vector(fmaxf(light.x, low.x), fmaxf(light.y, low.y), fmaxf(light.z, low.z));
    }
  }
}

void denoise(Pixel *pixels, Pixel *other, int width, int height) {
  int count = width * height;
  for (int i = 0; i < count; i++) pixels[i].light = divided(pixels[i].light, pixels[i].colour);
  despeckle(pixels, other, width, height);
  float tolerance = 0.5f;
  for (int pass = 0; pass < PASSES; pass++, tolerance *= 0.5f) {
    // An odd number of passes ends where it should.
    smooth(pass % 2 ? pixels : other, pass % 2 ? other : pixels, width, height, 1 << pass, tolerance);
  }
  for (int i = 0; i < count; i++) pixels[i].light = multiplied(pixels[i].light, pixels[i].colour);
}
