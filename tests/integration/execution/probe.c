// A program with real libc behind it: each word of its command line tries one thing and prints what came of it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void said(const char *what, int result) { printf("%s: %s\n", what, result == 0 ? "ok" : strerror(errno)); }

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (!file) {
    said(path, -1);
    return;
  }
  fputs(text, file);
  said(path, fclose(file));
}

static void print_file(const char *path) {
  char text[256];
  FILE *file = fopen(path, "r");
  if (!file) {
    said(path, -1);
    return;
  }
  size_t length = fread(text, 1, sizeof text, file);
  fclose(file);
  printf("%s: %.*s\n", path, (int)length, text);
}

static void list(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) {
    said(path, -1);
    return;
  }
  for (struct dirent *entry; (entry = readdir(folder));) printf("%s%s\n", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
  closedir(folder);
}

static void seek_and_tell(void) {
  FILE *file = fopen("made", "w+");
  fputs("0123456789", file);
  fseek(file, 4, SEEK_SET);
  fputc('x', file);
  fseek(file, -1, SEEK_END);
  printf("%ld %c\n", ftell(file), fgetc(file));
  fseek(file, 12, SEEK_SET);
  fputc('!', file);
  fclose(file);
}

static void escape(void) {
  static const char *paths[] = {"../etc/passwd", "/../etc/passwd", "given/../../etc/passwd", "/etc/passwd", "//etc/passwd"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) said(paths[i], open(paths[i], O_RDONLY) < 0 ? -1 : 0);
}

static void tree(void) {
  said("mkdir", mkdir("folder", 0777));
  said("mkdir again", mkdir("folder", 0777));
  write_text("folder/a", "a");
  write_text("folder/b", "b");
  said("rmdir full", rmdir("folder"));
  said("rename", rename("folder/a", "folder/c"));
  said("unlink", unlink("folder/b"));
  said("unlink again", unlink("folder/b"));
  said("rename folder", rename("folder", "moved"));
  said("into itself", rename("moved", "moved/inside"));
  list("moved");
}

static void inputs(void) {
  print_file("given/input");
  said("write to input", open("given/input", O_WRONLY) < 0 ? -1 : 0);
  said("truncate input", open("given/input", O_RDONLY | O_TRUNC) < 0 ? -1 : 0);
  said("unlink input", unlink("given/input"));
  said("rename input", rename("given/input", "other"));
  said("remove folder", rmdir("given"));
  write_text("given/output", "beside the input");
}

static void clocks(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  printf("%lld %ld\n", (long long)now.tv_sec, now.tv_nsec);
  struct timespec minutes = {600, 0};
  said("sleep", nanosleep(&minutes, NULL));
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%lld %ld\n", (long long)now.tv_sec, now.tv_nsec);
  struct stat status;
  stat("given/input", &status);
  printf("%lld\n", (long long)status.st_mtime);
}

static void randomness(void) {
  unsigned char bytes[48];
  getentropy(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void surroundings(int count, char **arguments) {
  for (int i = 0; i < count; i++) printf("[%s]\n", arguments[i]);
  printf("environment: %s\n", environ[0] ? environ[0] : "empty");
  printf("input: %s\n", getchar() == EOF ? "at its end" : "there");
  printf("terminal: %s\n", isatty(1) ? "yes" : "no");
}

static void fill_memory(void) {
  for (;;) {
    char *volatile block = malloc(65536);
    if (!block) abort();
    block[0] = 1;
  }
}

static void write_much(void) {
  static char block[65536];
  FILE *file = fopen("much", "w");
  while (fwrite(block, 1, sizeof block, file) == sizeof block) continue;
}

static void write_many(void) {
  char name[32];
  for (int i = 0;; i++) {
    snprintf(name, sizeof name, "file-%d", i);
    write_text(name, "");
  }
}

static void keep_deleted_open(void) {
  static char block[65536];
  for (int i = 0; i < 100; i++) {
    FILE *file = fopen("deleted", "w");
    fwrite(block, 1, sizeof block, file);
    fflush(file);
    unlink("deleted");
  }
}

static void delete_often(void) {
  static char block[65536];
  for (int i = 0; i < 100; i++) {
    FILE *file = fopen("deleted", "w");
    fwrite(block, 1, sizeof block, file);
    fclose(file);
    unlink("deleted");
  }
}

static void open_many(void) {
  for (int count = 0;; count++) {
    if (open("given/input", O_RDONLY) < 0) {
      printf("%d open, then %s\n", count, strerror(errno));
      return;
    }
  }
}

static void name_outputs(void) {
  write_text("stdout", "taken");
  write_text("bad\\name", "x");
  write_text("line\nbreak", "x");
  char name[300];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = 0;
  said("long", open(name, O_WRONLY | O_CREAT, 0666) < 0 ? -1 : 0);
}

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  if (!strcmp(what, "surroundings")) surroundings(count, arguments);
  if (!strcmp(what, "seek")) seek_and_tell();
  if (!strcmp(what, "escape")) escape();
  if (!strcmp(what, "tree")) tree();
  if (!strcmp(what, "inputs")) inputs();
  if (!strcmp(what, "list")) list(arguments[2]);
  if (!strcmp(what, "clocks")) clocks();
  if (!strcmp(what, "random")) randomness();
  if (!strcmp(what, "memory")) fill_memory();
  if (!strcmp(what, "much")) write_much();
  if (!strcmp(what, "many")) write_many();
  if (!strcmp(what, "keep")) keep_deleted_open();
  if (!strcmp(what, "delete")) delete_often();
  if (!strcmp(what, "open")) open_many();
  if (!strcmp(what, "names")) name_outputs();
  if (!strcmp(what, "fail")) {
    fprintf(stderr, "the scene is empty\n");
    return 7;
  }
  return 0;
}
