// PNG (ISO/IEC 15948) with stored zlib blocks (RFC 1950, RFC 1951): every byte is where it would be in the raw picture.
#include "png.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 65535u
#define ADLER_MODULUS 65521u

static uint32_t crc_table[256];

static void make_crc_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320u ^ (crc >> 1) : crc >> 1;
    crc_table[byte] = crc;
  }
}

static uint32_t crc_of(const uint8_t *data, size_t length) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < length; i++) crc = crc_table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

static void put_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24);
  at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8);
  at[3] = (uint8_t)value;
}

// A chunk whose data already stands at `chunk + 8`.
static bool write_chunk(FILE *file, uint8_t *chunk, const char *type, size_t length) {
  put_u32(chunk, (uint32_t)length);
  memcpy(chunk + 4, type, 4);
  put_u32(chunk + 8 + length, crc_of(chunk + 4, length + 4));
  return fwrite(chunk, 1, length + 12, file) == length + 12;
}

// Rows, each after its filter byte (0: none), as zlib data. Returns its length.
static size_t store(uint8_t *at, const uint8_t *pixels, size_t row, uint32_t height) {
  size_t total = (row + 1) * height, done = 0;
  uint32_t low = 1, high = 0;
  uint8_t *start = at;
  *at++ = 0x78;
  *at++ = 0x01;
  while (done < total) {
    size_t length = total - done < BLOCK ? total - done : BLOCK;
    *at++ = done + length == total;
    *at++ = (uint8_t)length;
    *at++ = (uint8_t)(length >> 8);
    *at++ = (uint8_t)~length;
    *at++ = (uint8_t)(~length >> 8);
    for (size_t i = 0; i < length; i++, done++) {
      size_t column = done % (row + 1);
      uint8_t byte = column == 0 ? 0 : pixels[done / (row + 1) * row + column - 1];
      low = (low + byte) % ADLER_MODULUS;
      high = (high + low) % ADLER_MODULUS;
      *at++ = byte;
    }
  }
  put_u32(at, high << 16 | low);
  return (size_t)(at + 4 - start);
}

bool write_png(const char *path, const uint8_t *pixels, uint32_t width, uint32_t height) {
  static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  size_t row = (size_t)width * 3;
  size_t raw = (row + 1) * height;
  uint8_t *chunk = malloc(raw + raw / BLOCK * 5 + 64);
  FILE *file = chunk ? fopen(path, "wb") : NULL;
  if (!file) {
    free(chunk);
    return false;
  }
  make_crc_table();
  bool written = fwrite(signature, 1, sizeof signature, file) == sizeof signature;
  put_u32(chunk + 8, width);
  put_u32(chunk + 12, height);
  // 8 bits a channel, RGB, deflate, adaptive filters, not interlaced.
  memcpy(chunk + 16, (uint8_t[5]){8, 2, 0, 0, 0}, 5);
  written = written && write_chunk(file, chunk, "IHDR", 13);
  chunk[8] = 0;
  written = written && write_chunk(file, chunk, "sRGB", 1);
  written = written && write_chunk(file, chunk, "IDAT", store(chunk + 8, pixels, row, height));
  written = written && write_chunk(file, chunk, "IEND", 0);
  free(chunk);
  return fclose(file) == 0 && written;
}
