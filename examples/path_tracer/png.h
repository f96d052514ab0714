// Writes pictures as PNG, without compression.
#ifndef PNG_H
#define PNG_H

#include <stdbool.h>
#include <stdint.h>

// 8-bit RGB, row after row. False where the file cannot be written.
bool write_png(const char *path, const uint8_t *pixels, uint32_t width, uint32_t height);

#endif
