// A path tracer: at every rough surface it asks each light directly and follows one more ray. Emitted light that a ray finds by chance counts
// only before the first rough surface; what lights send through glass counts as if it went straight on (no caustics: they take many samples).
#include "render.h"

#include "random.h"

#define PI 3.14159265f
#define NEAR 1e-3f
#define FAR 1e9f
#define GLASS_PASSES 0.75f
#define FADED 30.0f  // From here on the floor's squares are too small to see.
#define BRIGHTEST 6.0f  // A sample above this is a stray reflection of a light: cut, so that it leaves no white dot.

typedef struct {
  Vector origin, direction;
} Ray;

typedef struct {
  float distance;
  Vector point, normal;
  Material material;
} Hit;

static float distance_to_sphere(const Sphere *sphere, const Ray *ray, float nearest) {
  Vector to_centre = subtract(sphere->centre, ray->origin);
  float along = dot(to_centre, ray->direction);
  // From the point of the ray that is nearest to the centre: large spheres lose less to rounding this way.
  Vector aside = subtract(to_centre, scale(ray->direction, along));
  float half_squared = sphere->radius * sphere->radius - dot(aside, aside);
  if (half_squared <= 0) return nearest;
  float half = sqrtf(half_squared);
  float distance = along - half;
  if (distance < NEAR) distance = along + half;
  return distance > NEAR && distance < nearest ? distance : nearest;
}

static float distance_to_floor(const Scene *scene, const Ray *ray) {
  if (!scene->has_floor || fabsf(ray->direction.y) < 1e-6f) return FAR;
  float distance = (scene->floor_height - ray->origin.y) / ray->direction.y;
  return distance > NEAR ? distance : FAR;
}

static Material floor_material(const Scene *scene, Vector point, float distance) {
  int odd = ((int)floorf(point.x) + (int)floorf(point.z)) & 1;
  float faded = fminf(0.5f, 0.5f * distance / FADED);
  return (Material){COATED, mix(scene->floor_colours[odd], scene->floor_colours[!odd], faded), 0};
}

static bool find(const Scene *scene, const Ray *ray, Hit *hit) {
  float nearest = distance_to_floor(scene, ray);
  const Sphere *found = NULL;
  for (int i = 0; i < scene->sphere_count; i++) {
    float distance = distance_to_sphere(&scene->spheres[i], ray, nearest);
    if (distance < nearest) {
      nearest = distance;
      found = &scene->spheres[i];
    }
  }
  if (nearest >= FAR) return false;
  hit->distance = nearest;
  hit->point = add(ray->origin, scale(ray->direction, nearest));
  if (found) {
    hit->normal = scale(subtract(hit->point, found->centre), 1.0f / found->radius);
    hit->material = found->material;
  } else {
    hit->normal = vector(0, 1, 0);
    hit->material = floor_material(scene, hit->point, nearest);
  }
  return true;
}

// How much of a light's light arrives from that far away.
static Vector unblocked(const Scene *scene, const Ray *ray, float distance, int light) {
  Vector share = vector(1, 1, 1);
  if (distance_to_floor(scene, ray) < distance) return vector(0, 0, 0);
  for (int i = 0; i < scene->sphere_count; i++) {
    if (i == light || distance_to_sphere(&scene->spheres[i], ray, distance) >= distance) continue;
    if (scene->spheres[i].material.kind != GLASS) return vector(0, 0, 0);
    share = multiply(share, scale(scene->spheres[i].material.colour, GLASS_PASSES));
  }
  return share;
}

static Vector sky(const Scene *scene, Vector direction) {
  float below = 1.0f - fmaxf(direction.y, 0);
  below *= below;
  return mix(scene->zenith, scene->horizon, below * below);
}

// Two directions across `normal` (Duff et al. 2017).
static void across(Vector normal, Vector *right, Vector *up) {
  float sign = copysignf(1.0f, normal.z);
  float a = -1.0f / (sign + normal.z);
  float b = normal.x * normal.y * a;
  *right = vector(1.0f + sign * normal.x * normal.x * a, sign * b, -sign * normal.x);
  *up = vector(b, sign + normal.y * normal.y * a, -normal.y);
}

static Vector around(Vector normal, float sine, float cosine, float turn) {
  Vector right, up;
  across(normal, &right, &up);
  Vector flat = add(scale(right, cosf(turn) * sine), scale(up, sinf(turn) * sine));
  return add(flat, scale(normal, cosine));
}

static Vector diffuse_direction(Vector normal, Random *random) {
  float squared = random_float(random);
  return around(normal, sqrtf(squared), sqrtf(1.0f - squared), 2 * PI * random_float(random));
}

// Light that arrives at a rough surface straight from the lights: a direction within the cone under which each is seen.
static Vector direct_light(const Scene *scene, Vector point, Vector normal, Random *random) {
  Vector sum = vector(0, 0, 0);
  for (int i = 0; i < scene->light_count; i++) {
    const Sphere *light = &scene->spheres[scene->lights[i]];
    Vector to_light = subtract(light->centre, point);
    float squared = dot(to_light, to_light);
    float sine_squared = light->radius * light->radius / squared;
    if (sine_squared >= 1) continue;
    float spread = 1.0f - sqrtf(1.0f - sine_squared);
    float cosine = 1.0f - spread * random_float(random);
    float sine = sqrtf(fmaxf(0, 1.0f - cosine * cosine));
    Vector direction = around(scale(to_light, 1.0f / sqrtf(squared)), sine, cosine, 2 * PI * random_float(random));
    float facing = dot(direction, normal);
    Ray ray = {point, direction};
    if (facing <= 0) continue;
    Vector share = unblocked(scene, &ray, distance_to_sphere(light, &ray, FAR), scene->lights[i]);
    sum = add(sum, scale(multiply(share, light->material.colour), 2.0f * spread * facing));
  }
  return sum;
}

static float schlick(float cosine, float straight) {
  float rest = 1.0f - fminf(1.0f, cosine), squared = rest * rest;
  return straight + (1.0f - straight) * squared * squared * rest;
}

// How much of the light glass sends back. From inside it is all or nothing: the little in between would leave noise.
static float sent_back(Vector direction, Vector normal, float index) {
  float cosine = -dot(direction, normal);
  float straight = (1.0f - index) / (1.0f + index);
  if (cosine >= 0) return schlick(cosine, straight * straight);
  return index * index * (1.0f - cosine * cosine) >= 1 ? 1 : 0;
}

// On through glass. Asked for only where it does not send everything back.
static Vector through_glass(Vector direction, Vector normal, float index) {
  float cosine = -dot(direction, normal);
  float ratio = cosine < 0 ? index : 1.0f / index;
  if (cosine < 0) {
    normal = scale(normal, -1);
    cosine = -cosine;
  }
  float inside = sqrtf(fmaxf(0, 1.0f - ratio * ratio * (1.0f - cosine * cosine)));
  return normalise(add(scale(direction, ratio), scale(normal, ratio * cosine - inside)));
}

// The next ray from a smooth surface, and how much of its light arrives. False where the surface is rough.
static bool follow_smooth(const Hit *hit, Ray *ray, Vector *weight, Random *random) {
  Vector facing = dot(ray->direction, hit->normal) < 0 ? hit->normal : scale(hit->normal, -1);
  switch (hit->material.kind) {
    case METAL: {
      Vector mirrored = reflect(ray->direction, facing);
      Vector fuzz = diffuse_direction(mirrored, random);
      ray->direction = normalise(mix(mirrored, fuzz, hit->material.detail * hit->material.detail));
      if (dot(ray->direction, facing) <= 0) ray->direction = reflect(ray->direction, facing);
      float edge = schlick(dot(ray->direction, facing), 0);
      *weight = multiply(*weight, mix(hit->material.colour, vector(1, 1, 1), edge));
      return true;
    }
    case GLASS:
      if (random_float(random) < sent_back(ray->direction, hit->normal, hit->material.detail)) {
        ray->direction = reflect(ray->direction, facing);
      } else {
        ray->direction = through_glass(ray->direction, hit->normal, hit->material.detail);
      }
      *weight = multiply(*weight, hit->material.colour);
      return true;
    case COATED:
      if (random_float(random) >= schlick(-dot(ray->direction, facing), 0.04f)) return false;
      ray->direction = reflect(ray->direction, facing);
      return true;
    default:
      return false;
  }
}

// The light along a ray whose first hit is known, if there is one. `pixel` takes the features of the first rough surface.
static Vector follow(const Scene *scene, Ray ray, bool found, Hit hit, Pixel *pixel, Random *random) {
  Vector light = vector(0, 0, 0), weight = vector(1, 1, 1);
  bool counts_emission = true, featured = false;
  for (int bounce = 0; bounce < scene->bounces; bounce++, found = find(scene, &ray, &hit)) {
    if (!found) {
      light = add(light, multiply(weight, sky(scene, ray.direction)));
      break;
    }
    if (hit.material.kind == LIGHT) {
      if (counts_emission) light = add(light, multiply(weight, hit.material.colour));
      break;
    }
    Vector normal = dot(ray.direction, hit.normal) < 0 ? hit.normal : scale(hit.normal, -1);
    if (!featured && (hit.material.kind == DIFFUSE || hit.material.kind == COATED)) {
      featured = true;
      pixel->colour = add(pixel->colour, multiply(weight, hit.material.colour));
      pixel->normal = add(pixel->normal, normal);
    }
    ray.origin = hit.point;
    if (follow_smooth(&hit, &ray, &weight, random)) continue;
    weight = multiply(weight, hit.material.colour);
    light = add(light, multiply(weight, direct_light(scene, hit.point, normal, random)));
    ray.direction = diffuse_direction(normal, random);
    counts_emission = false;
    if (bounce > 2) {
      float survives = fminf(0.95f, largest(weight));
      if (random_float(random) >= survives) break;
      weight = scale(weight, 1.0f / survives);
    }
  }
  if (!featured) pixel->colour = add(pixel->colour, vector(1, 1, 1));
  float brightest = largest(light);
  return brightest > BRIGHTEST ? scale(light, BRIGHTEST / brightest) : light;
}

typedef struct {
  Vector eye, forward, right, up;
  float half_height, focus, lens;
} Camera;

static Camera camera_of(const Scene *scene) {
  Camera camera;
  Vector ahead = subtract(scene->target, scene->eye);
  camera.eye = scene->eye;
  camera.focus = sqrtf(dot(ahead, ahead));
  camera.forward = normalise(ahead);
  camera.right = normalise(cross(camera.forward, vector(0, 1, 0)));
  camera.up = cross(camera.right, camera.forward);
  camera.half_height = tanf(scene->field_of_view * PI / 360.0f);
  camera.lens = scene->aperture / 2;
  return camera;
}

// Through a point of the picture, (0, 0) to (width, height) from the top left.
static Ray ray_through(const Scene *scene, const Camera *camera, float x, float y, Random *random) {
  float across_half = camera->half_height * (float)scene->width / (float)scene->height;
  float side = (2 * x / (float)scene->width - 1) * across_half;
  float height = (1 - 2 * y / (float)scene->height) * camera->half_height;
  Vector towards = add(camera->forward, add(scale(camera->right, side), scale(camera->up, height)));
  float radius = camera->lens * sqrtf(random_float(random)), turn = 2 * PI * random_float(random);
  Vector shift = add(scale(camera->right, radius * cosf(turn)), scale(camera->up, radius * sinf(turn)));
  return (Ray){add(camera->eye, shift), normalise(subtract(scale(towards, camera->focus), shift))};
}

// The light along a ray from the camera. Where it meets glass, both ways on are followed: choosing one by chance would leave noise.
static Vector see(const Scene *scene, Ray ray, Pixel *pixel, Random *random) {
  Hit hit = {0}, behind = {0};
  bool found = find(scene, &ray, &hit);
  if (found) pixel->distance += hit.distance;
  if (!found || hit.material.kind != GLASS) return follow(scene, ray, found, hit, pixel, random);
  float share = sent_back(ray.direction, hit.normal, hit.material.detail);
  Pixel unused = {0};
  Ray back = {hit.point, reflect(ray.direction, hit.normal)};
  found = find(scene, &back, &behind);
  Vector light = scale(follow(scene, back, found, behind, &unused, random), share);
  Ray through = {hit.point, through_glass(ray.direction, hit.normal, hit.material.detail)};
  found = find(scene, &through, &behind);
  light = add(light, scale(follow(scene, through, found, behind, pixel, random), 1.0f - share));
  return multiply(light, hit.material.colour);
}

void render(const Scene *scene, Pixel *pixels) {
  Camera camera = camera_of(scene);
  for (int y = 0; y < scene->height; y++) {
    for (int x = 0; x < scene->width; x++) {
      Pixel sum = {0};
      Random random = random_of_pixel((uint32_t)(y * scene->width + x));
      float shift = random_float(&random);
      for (int i = 0; i < scene->samples; i++) {
        // The R2 sequence (Roberts 2018) spreads samples evenly over the pixel.
        float right = shift + (float)i * 0.7548777f, down = shift + (float)i * 0.5698403f;
        Ray ray = ray_through(scene, &camera, (float)x + right - floorf(right), (float)y + down - floorf(down), &random);
        sum.light = add(sum.light, see(scene, ray, &sum, &random));
      }
      float share = 1.0f / (float)scene->samples;
      pixels[y * scene->width + x] =
          (Pixel){scale(sum.light, share), scale(sum.colour, share), scale(sum.normal, share), sum.distance * share};
    }
  }
}
