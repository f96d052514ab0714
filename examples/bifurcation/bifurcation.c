// bifurcation PART PARTS: where x -> r x (1 - x) comes to rest, for the rows of r from 2.8 to 4 that belong to one part of a sweep.
// The strips of all parts, one after the other, are a picture: the first begins with the header of a bitmap of 8 bits.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1000
#define HEIGHT 720
#define FIRST_R 2.8
#define LAST_R 4.0
#define SETTLING 2000
#define VISITS 30000
#define SHADES 256
#define HEADER (14 + 40 + 4 * SHADES)

static void put(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

// A bitmap whose rows come from the top, in shades of grey.
static void write_header(FILE *file) {
  static uint8_t header[HEADER];
  memcpy(header, "BM", 2);
  put(header + 2, HEADER + WIDTH * HEIGHT);
  put(header + 10, HEADER);
  put(header + 14, 40);
  put(header + 18, WIDTH);
  put(header + 22, (uint32_t)-HEIGHT);
  put(header + 26, 1 | 8 << 16);
  put(header + 46, SHADES);
  for (int shade = 0; shade < SHADES; shade++) put(header + 54 + 4 * shade, (uint32_t)shade * 0x010101u);
  fwrite(header, 1, HEADER, file);
}

// One row: dark where the iteration comes by often.
static void write_row(FILE *file, double r) {
  static uint32_t visits[WIDTH];
  static uint8_t row[WIDTH];
  memset(visits, 0, sizeof visits);
  double x = 0.5;
  for (int i = 0; i < SETTLING; i++) x = r * x * (1 - x);
  for (int i = 0; i < VISITS; i++) {
    x = r * x * (1 - x);
    visits[(int)(x * (WIDTH - 1))]++;
  }
  for (int i = 0; i < WIDTH; i++) {
    float darkness = logf(1 + (float)visits[i]) / logf(1 + VISITS / 60.0f);
    row[i] = (uint8_t)(255 - 255 * fminf(darkness, 1));
  }
  fwrite(row, 1, WIDTH, file);
}

int main(int count, char **arguments) {
  int part = count == 3 ? atoi(arguments[1]) : -1, parts = count == 3 ? atoi(arguments[2]) : 0;
  if (part < 0 || part >= parts || parts > HEIGHT) {
    fprintf(stderr, "usage: bifurcation PART PARTS, with PART from 0 and at most %d PARTS\n", HEIGHT);
    return 1;
  }
  FILE *file = fopen("picture.bmp", "wb");
  if (!file) return 1;
  if (part == 0) write_header(file);
  for (int y = part * HEIGHT / parts; y < (part + 1) * HEIGHT / parts; y++) {
    write_row(file, FIRST_R + (LAST_R - FIRST_R) * y / (HEIGHT - 1));
  }
  return fclose(file) ? 1 : 0;
}
