#include "scene.h"

#include <string.h>

#define MAX_LINE 256
#define MAX_WORD 32
#define MAX_PIXELS 4000000

typedef struct {
  const char *rest;
  bool failed;
} Line;

static float number(Line *line) {
  float value = 0;
  int used = 0;
  if (sscanf(line->rest, "%f%n", &value, &used) != 1 || !isfinite(value)) line->failed = true;
  line->rest += used;
  return value;
}

static int whole(Line *line, int lowest, int highest) {
  float value = number(line);
  if (!(value >= (float)lowest && value <= (float)highest) || value != floorf(value)) {
    line->failed = true;
    return lowest;
  }
  return (int)value;
}

static Vector triple(Line *line) {
  float x = number(line), y = number(line), z = number(line);
  return vector(x, y, z);
}

static void word(Line *line, char *into) {
  int used = 0;
  into[0] = 0;
  if (sscanf(line->rest, "%31s%n", into, &used) != 1) line->failed = true;
  line->rest += used;
}

static Material material(Line *line) {
  static const struct {
    const char *name;
    Kind kind;
    bool detailed;
  } kinds[] = {{"diffuse", DIFFUSE, false}, {"coated", COATED, false}, {"metal", METAL, true}, {"glass", GLASS, true}, {"light", LIGHT, false}};
  char name[MAX_WORD];
  word(line, name);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(name, kinds[i].name) == 0) {
      Vector colour = triple(line);
      return (Material){kinds[i].kind, colour, kinds[i].detailed ? number(line) : 0.0f};
    }
  }
  line->failed = true;
  return (Material){DIFFUSE, vector(0, 0, 0), 0};
}

static void sphere(Line *line, Scene *scene) {
  if (scene->sphere_count == MAX_SPHERES) {
    line->failed = true;
    return;
  }
  Sphere *made = &scene->spheres[scene->sphere_count];
  made->centre = triple(line);
  made->radius = number(line);
  made->material = material(line);
  if (!(made->radius > 0)) line->failed = true;
  if (made->material.kind == LIGHT) {
    if (scene->light_count == MAX_LIGHTS) {
      line->failed = true;
      return;
    }
    scene->lights[scene->light_count++] = scene->sphere_count;
  }
  scene->sphere_count++;
}

static void understand(Line *line, Scene *scene) {
  char name[MAX_WORD];
  word(line, name);
  if (strcmp(name, "size") == 0) {
    scene->width = whole(line, 1, 4000);
    scene->height = whole(line, 1, 4000);
    if (scene->width * scene->height > MAX_PIXELS) line->failed = true;
  } else if (strcmp(name, "samples") == 0) {
    scene->samples = whole(line, 1, 100000);
  } else if (strcmp(name, "bounces") == 0) {
    scene->bounces = whole(line, 1, 64);
  } else if (strcmp(name, "camera") == 0) {
    scene->eye = triple(line);
    scene->target = triple(line);
    scene->field_of_view = number(line);
    scene->aperture = number(line);
  } else if (strcmp(name, "sky") == 0) {
    scene->horizon = triple(line);
    scene->zenith = triple(line);
  } else if (strcmp(name, "floor") == 0) {
    scene->has_floor = true;
    scene->floor_height = number(line);
    scene->floor_colours[0] = triple(line);
    scene->floor_colours[1] = triple(line);
  } else if (strcmp(name, "sphere") == 0) {
    sphere(line, scene);
  } else {
    line->failed = true;
  }
}

bool read_scene(FILE *file, Scene *scene) {
  char text[MAX_LINE];
  memset(scene, 0, sizeof *scene);
  scene->width = 320;
  scene->height = 200;
  scene->samples = 16;
  scene->bounces = 8;
  scene->eye = vector(0, 1, 5);
  scene->field_of_view = 40;
  for (int count = 1; fgets(text, sizeof text, file); count++) {
    bool cut = !strchr(text, '\n') && !feof(file);
    text[strcspn(text, "#\r\n")] = 0;
    Line line = {text, cut};
    if (!cut && text[strspn(text, " \t")] == 0) continue;
    understand(&line, scene);
    if (line.failed || line.rest[strspn(line.rest, " \t")] != 0) {
      fprintf(stderr, "line %d of the scene is not understood: %s\n", count, text);
      return false;
    }
  }
  return true;
}
