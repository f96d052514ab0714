// What a GPU does of the hardware challenge and of Freivalds' check besides multiplying: drawing the matrices, hashing rows, and exact products with
// a vector modulo 2^61 - 1. Compiled by NVRTC (device_kernels.py); a test compiles the same text for the processor and holds it against NumPy and hashlib.

typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef __CUDACC__
#define KERNEL extern "C" __global__
#define DEVICE __device__ __forceinline__
#else
#define KERNEL
#define DEVICE static inline
#endif

#define PRIME ((1ULL << 61) - 1)
#define LANES 32

// Philox4x64-10 as NumPy runs it: row `rows[y]` starts at the counter (0, row, 0, 0), which is raised before each block of four words.
KERNEL void draw_rows(const int* rows, int count, int words, u64 key0, u64 key1, u64* out) {
    long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    int blocks = (words + 3) / 4;
    if (index >= (long long)count * blocks) return;
    int place = (int)(index / blocks), block = (int)(index % blocks);
    u64 c0 = (u64)block + 1, c1 = (u64)rows[place], c2 = 0, c3 = 0;
    for (int round = 0; round < 10; ++round) {
        u64 high0 = __umul64hi(0xD2E7470EE14C6C93ULL, c0), low0 = 0xD2E7470EE14C6C93ULL * c0;
        u64 high1 = __umul64hi(0xCA5A826395121157ULL, c2), low1 = 0xCA5A826395121157ULL * c2;
        c0 = high1 ^ c1 ^ key0;
        c1 = low1;
        c2 = high0 ^ c3 ^ key1;
        c3 = low0;
        key0 += 0x9E3779B97F4A7C15ULL;
        key1 += 0xBB67AE8584CAA73BULL;
    }
    u64 drawn[4] = {c0, c1, c2, c3};
    for (int word = 0; word < 4 && 4 * block + word < words; ++word) out[(long long)place * words + 4 * block + word] = drawn[word];
}

DEVICE u32 turn(u32 value, int places) { return (value >> places) | (value << (32 - places)); }

DEVICE u32 swapped(u32 value) {
    return (value >> 24) | ((value >> 8) & 0xFF00u) | ((value << 8) & 0xFF0000u) | (value << 24);
}

DEVICE void compress(u32* state, u32* w) {
    const u32 k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
#ifdef __CUDACC__
#pragma unroll
#endif
    for (int round = 0; round < 64; ++round) {
        if (round >= 16) {
            u32 early = w[(round + 1) & 15], late = w[(round + 14) & 15];
            w[round & 15] += (turn(early, 7) ^ turn(early, 18) ^ (early >> 3)) + w[(round + 9) & 15] + (turn(late, 17) ^ turn(late, 19) ^ (late >> 10));
        }
        u32 first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[round] + w[round & 15];
        u32 second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

// SHA-256 of each row of 32-bit words, as little-endian bytes. One thread a row.
KERNEL void sha256_rows(const u32* matrix, int rows, int columns, u32* digests) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    const u32* words = matrix + (long long)row * columns;
    u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    u32 w[16];
    // The message, a one bit, zeros, and its length in bits as the last two words.
    int padded = ((columns + 3 + 15) / 16) * 16;
    u64 bits = 32ULL * (u64)columns;
    for (int start = 0; start < padded; start += 16) {
        for (int place = 0; place < 16; ++place) {
            int index = start + place;
            u32 word = 0;
            if (index < columns) word = swapped(words[index]);
            else if (index == columns) word = 0x80000000u;
            else if (index == padded - 2) word = (u32)(bits >> 32);
            else if (index == padded - 1) word = (u32)bits;
            w[place] = word;
        }
        compress(state, w);
    }
    for (int place = 0; place < 8; ++place) digests[row * 8 + place] = swapped(state[place]);
}

DEVICE u64 residue(long long value) {
    long long rest = value % (long long)PRIME;
    return (u64)(rest < 0 ? rest + (long long)PRIME : rest);
}

DEVICE u64 rotated(u64 value, int places) { return ((value << places) & PRIME) | (value >> (61 - places)); }

DEVICE u64 added(u64 left, u64 right) {
    u64 sum = left + right;
    return sum >= PRIME ? sum - PRIME : sum;
}

// A lane's part of a row times a vector of residues, modulo 2^61 - 1. The vector is cut into 21 bits, so that 1,024 products of 32 bits fit 64.
#define PRODUCTS(name, entry)                                                                                        \
    KERNEL void name(const entry* matrix, const u64* vector, int rows, int columns, u64* parts) {                    \
        long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;                                          \
        int row = (int)(index / LANES), lane = (int)(index % LANES);                                                 \
        if (row >= rows) return;                                                                                     \
        const entry* entries = matrix + (long long)row * columns;                                                    \
        long long low = 0, middle = 0, high = 0;                                                                     \
        for (int column = lane; column < columns; column += LANES) {                                                 \
            long long value = (long long)entries[column];                                                            \
            u64 factor = vector[column];                                                                             \
            low += value * (long long)(factor & 0x1FFFFF);                                                           \
            middle += value * (long long)((factor >> 21) & 0x1FFFFF);                                                \
            high += value * (long long)(factor >> 42);                                                               \
        }                                                                                                            \
        parts[index] = added(residue(low), added(rotated(residue(middle), 21), rotated(residue(high), 42)));         \
    }

PRODUCTS(products_i8, signed char)
PRODUCTS(products_i32, int)
