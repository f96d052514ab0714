// What a GPU does of the hardware challenge and of Freivalds' checks besides multiplying matrices: drawing them, hashing rows, the Merkle tree over
// the hashes, exact products with a vector modulo 2^61 - 1, and sums over neighbouring terms. Compiled by NVRTC (device_kernels.py); a test compiles
// the same text for the processor and holds it against NumPy and hashlib.

typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef __CUDACC__
#define KERNEL extern "C" __global__
#define DEVICE __device__ __forceinline__
#define SHARED __shared__
#define BARRIER __syncthreads()
#define UNROLL _Pragma("unroll")
#else
#define KERNEL
#define DEVICE static inline
#define SHARED static
#define UNROLL
#endif

#define PRIME ((1ULL << 61) - 1)
#define THREADS 256
#define ROWS 8

// Philox4x64-10 as NumPy runs it: row `rows[y]` starts at the counter (0, row, 0, 0), which is raised before each block of four words. `turned` writes
// the matrix of bytes by columns; neighbouring threads then draw the same places of neighbouring rows.
KERNEL void draw_rows(const int* rows, int count, int words, u64 key0, u64 key1, int turned, u64* out) {
    long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    int blocks = (words + 3) / 4;
    if (index >= (long long)count * blocks) return;
    int place = (int)(turned ? index % count : index / blocks), block = (int)(turned ? index / count : index % blocks);
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
    for (int word = 0; word < 4 && 4 * block + word < words; ++word) {
        long long at = 4LL * block + word;
        if (!turned) {
            out[place * (long long)words + at] = drawn[word];
            continue;
        }
        for (int byte = 0; byte < 8; ++byte) ((unsigned char*)out)[(8 * at + byte) * count + place] = (unsigned char)(drawn[word] >> (8 * byte));
    }
}

#define INITIAL {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

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
    UNROLL
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
    u32 state[8] = INITIAL;
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

// A level of a Merkle tree as in RFC 9162: `joined` is 1 for leaves' hashes (a zero byte before a digest), else 2 (a one before two nodes). The last of
// an odd number of nodes goes up as it is.
KERNEL void merkle_level(const u32* nodes, int count, int joined, u32* out) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= (count + joined - 1) / joined) return;
    const u32* digests = nodes + 8LL * joined * index;
    u32* found = out + 8LL * index;
    if (joined == 2 && index * 2 + 1 == count) {
        for (int place = 0; place < 8; ++place) found[place] = digests[place];
        return;
    }
    u32 state[8] = INITIAL;
    // The prefix moves everything by a byte, so that each word of the message is made of two.
    u32 w[16], before = (u32)(joined - 1), words = 8 * (u32)joined;
    for (u32 start = 0; start <= words; start += 16) {
        for (u32 place = 0; place < 16; ++place) {
            u32 number = start + place, after = number < words ? swapped(digests[number]) : number == words ? 0x80000000u : 0;
            w[place] = (before << 24) | (after >> 8);
            before = after;
        }
        // 33 or 65 bytes: the length in bits is the last word of the last block.
        if (start + 16 > words) w[15] = 8 * (4 * words + 1);
        compress(state, w);
    }
    for (int place = 0; place < 8; ++place) found[place] = swapped(state[place]);
}

// Modulo 2^61 - 1, of any signed word.
DEVICE u64 residue(long long value) {
    long long rest = (long long)((u64)value & PRIME) + (value >> 61);
    if (rest < 0) rest += (long long)PRIME;
    return (u64)rest >= PRIME ? (u64)rest - PRIME : (u64)rest;
}

DEVICE u64 rotated(u64 value, int places) { return places == 0 ? value : ((value << places) & PRIME) | (value >> (61 - places)); }

DEVICE u64 added(u64 left, u64 right) {
    u64 sum = left + right;
    return sum >= PRIME ? sum - PRIME : sum;
}

// A matrix times a vector of residues, modulo 2^61 - 1. A block of THREADS does ROWS rows, so that each residue is cut into limbs once for all of them;
// rows are read 16 bytes at a time where their length allows. A thread's sums fit 64 bits up to 2^17 columns: 512 products of 31 bits with 21, or of 7
// with 31. With `expected` the product is compared and not kept: `wrong` is set where it differs.
#define ENTRY_I8(words, place) ((int)(signed char)(words[(place) / 4] >> (8 * ((place) % 4))))
#define ENTRY_I32(words, place) (words[place])
#define PRODUCTS(name, entry, width, entry_of, limbs, bits)                                                                                   \
    KERNEL void name(const entry* matrix, const u64* vector, int rows, int columns, const u64* expected, u64* out, int* wrong) {              \
        SHARED u64 parts[ROWS][THREADS];                                                                                                      \
        long long sums[ROWS][limbs];                                                                                                          \
        int first = blockIdx.x * ROWS, thread = threadIdx.x, wide = columns % (width) ? 0 : columns;                                          \
        UNROLL for (int row = 0; row < ROWS; ++row) UNROLL for (int limb = 0; limb < limbs; ++limb) sums[row][limb] = 0;                      \
        for (int at = thread * (width); at < wide; at += THREADS * (width)) {                                                                 \
            int words[ROWS][4];                                                                                                               \
            UNROLL for (int row = 0; row < ROWS; ++row) {                                                                                     \
                int4 read = {0, 0, 0, 0};                                                                                                     \
                if (first + row < rows) read = *(const int4*)(matrix + (long long)(first + row) * columns + at);                              \
                words[row][0] = read.x, words[row][1] = read.y, words[row][2] = read.z, words[row][3] = read.w;                               \
            }                                                                                                                                 \
            UNROLL for (int place = 0; place < (width); ++place) {                                                                            \
                u64 factor = vector[at + place];                                                                                              \
                UNROLL for (int limb = 0; limb < limbs; ++limb) {                                                                             \
                    int part = (int)(factor >> ((bits)*limb)) & (int)((1U << (bits)) - 1);                                                    \
                    UNROLL for (int row = 0; row < ROWS; ++row) sums[row][limb] += (long long)entry_of(words[row], place) * part;             \
                }                                                                                                                             \
            }                                                                                                                                 \
        }                                                                                                                                     \
        for (int at = wide + thread; at < columns; at += THREADS) {                                                                           \
            u64 factor = vector[at];                                                                                                          \
            for (int row = 0; row < ROWS && first + row < rows; ++row) {                                                                      \
                long long value = matrix[(long long)(first + row) * columns + at];                                                            \
                UNROLL for (int limb = 0; limb < limbs; ++limb) sums[row][limb] += value * ((int)(factor >> ((bits)*limb)) & (int)((1U << (bits)) - 1)); \
            }                                                                                                                                 \
        }                                                                                                                                     \
        UNROLL for (int row = 0; row < ROWS; ++row) {                                                                                         \
            u64 sum = 0;                                                                                                                      \
            UNROLL for (int limb = 0; limb < limbs; ++limb) sum = added(sum, rotated(residue(sums[row][limb]), (bits)*limb));                 \
            parts[row][thread] = sum;                                                                                                         \
        }                                                                                                                                     \
        BARRIER;                                                                                                                              \
        int row = thread / (THREADS / ROWS), lane = thread % (THREADS / ROWS);                                                                \
        for (int other = lane + THREADS / ROWS; other < THREADS; other += THREADS / ROWS) parts[row][lane] = added(parts[row][lane], parts[row][other]); \
        BARRIER;                                                                                                                              \
        if (lane || first + row >= rows) return;                                                                                              \
        u64 sum = 0;                                                                                                                          \
        for (int other = 0; other < THREADS / ROWS; ++other) sum = added(sum, parts[row][other]);                                             \
        if (!expected) out[first + row] = sum;                                                                                                \
        else if (sum != expected[first + row]) *wrong = 1;                                                                                    \
    }

PRODUCTS(products_i8, signed char, 16, ENTRY_I8, 2, 31)
PRODUCTS(products_i32, int, 4, ENTRY_I32, 3, 21)

// Of x = left ∘ right (or left alone), both (rows, columns), each row times its weight if there are `weights`: sums down the columns of x, of its
// squares, and of the squares of sums of 2 and of 4 neighbours; and as a matrix the sums of 8 neighbours, with which the caller goes on. A thread does
// 8 columns of `chunk` rows. `sums` is (chunks, 22 · ceil(columns / 8)): x and its squares, then those of pairs, then of fours, each with the places of
// what would make a last one whole; `eighths` (rows, columns / 8) without a last that is not whole, or null.
KERNEL void neighbour_sums(const double* left, const double* right, const double* weights, int rows, int columns, int chunk, double* sums,
                           double* eighths) {
    int threads = (columns + 7) / 8, whole = columns / 8;
    long long index = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    int group = (int)(index % threads), first = (int)(index / threads) * chunk;
    if (first >= rows) return;
    double total[22];
    UNROLL for (int place = 0; place < 22; ++place) total[place] = 0;
    for (int row = first; row < first + chunk && row < rows; ++row) {
        long long start = (long long)row * columns + 8 * group;
        double x[8], weight = weights ? weights[row] : 1;
        if (columns % 8 == 0) {
            UNROLL for (int pair = 0; pair < 4; ++pair) {
                double2 read = ((const double2*)(left + start))[pair], other = {weight, weight};
                if (right) other = ((const double2*)(right + start))[pair];
                x[2 * pair] = read.x * other.x, x[2 * pair + 1] = read.y * other.y;
            }
        } else {
            UNROLL for (int place = 0; place < 8; ++place) {
                x[place] = 8 * group + place < columns ? left[start + place] : 0;
                if (8 * group + place < columns) x[place] *= right ? right[start + place] : weight;
            }
        }
        UNROLL for (int place = 0; place < 8; ++place) {
            if (right && weights) x[place] *= weight;
            total[place] += x[place];
            total[8 + place] += x[place] * x[place];
        }
        UNROLL for (int place = 0; place < 4; ++place) x[place] = x[2 * place] + x[2 * place + 1], total[16 + place] += x[place] * x[place];
        UNROLL for (int place = 0; place < 2; ++place) x[place] = x[2 * place] + x[2 * place + 1], total[20 + place] += x[place] * x[place];
        if (eighths && group < whole) eighths[(long long)row * whole + group] = x[0] + x[1];
    }
    double* out = sums + (index / threads) * 22 * threads;
    UNROLL for (int place = 0; place < 22; ++place) {
        int of_level = place < 16 ? 8 : place < 20 ? 4 : 2, before = place < 8 ? 0 : place < 16 ? 8 : place < 20 ? 16 : 20;
        out[(long long)before * threads + of_level * group + place - before] = total[place];
    }
}
