/*
 * Machines for tests: all identifiers come from a JSON file. Only builds with PRA_TEST_PROVIDER hold
 * this code; a unit test looks into the release library to prove it.
 *
 * The file is one object: the names of MACHINE_ID_MAP and "bios_vendor" (put in front of
 * "bios_version"), each a string, {"hidden": true}, or null. What is not named is missing.
 */
#include "keys/machine_source.h"

#ifdef PRA_TEST_PROVIDER

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/os.h"

#define TEST_FILE_MAX 65536u

static int find_id(const char *name)
{
    for (int id = 0; id < MACHINE_ID_COUNT; id++) {
        if (strcmp(machine_id_name(id), name) == 0) {
            return id;
        }
    }
    return MACHINE_ID_COUNT;
}

static int take_value(struct machine *m, const json_t *all, const char *name, const json_t *value)
{
    int id = find_id(name);

    if (strcmp(name, "bios_vendor") == 0) {
        return json_is_string(value) ? 0 : PRA_EINVAL;
    }
    if (id == MACHINE_ID_COUNT) {
        return PRA_EINVAL;
    }
    if (json_is_string(value)) {
        const char *vendor = json_string_value(json_object_get(all, "bios_vendor"));
        char text[2 * MACHINE_VALUE_MAX];
        bool merge = id == MACHINE_BIOS_VERSION && vendor != NULL;

        snprintf(text, sizeof(text), "%s%s%s", merge ? vendor : "", merge ? " " : "",
                 json_string_value(value));
        machine_set(m, id, text);
        return 0;
    }
    if (json_is_true(json_object_get(value, "hidden"))) {
        m->source[id] = MACHINE_HIDDEN;
        return 0;
    }
    return json_is_null(value) ? 0 : PRA_EINVAL;
}

int machine_test_collect(struct machine *m, struct fault *f)
{
    const char *path = getenv("PRA_TEST_MACHINE");
    json_error_t error;
    json_t *root;
    const char *name;
    json_t *value;
    char *text;
    size_t len;
    int rc;

    if (path == NULL || path[0] == '\0') {
        return PRA_ENOENT;
    }
    rc = os_file_read(path, TEST_FILE_MAX, &text, &len, f);
    if (rc != 0) {
        return PRA_EIO;
    }
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!json_is_object(root)) {
        rc = fault_set(f, PRA_EINVAL, "%s:%d: not a JSON object: %s", path, error.line, error.text);
    }
    json_object_foreach(root, name, value)
    {
        if (take_value(m, root, name, value) != 0) {
            rc = fault_set(f, PRA_EINVAL,
                           "%s: member '%s' is not an identifier or has no usable value", path,
                           name);
        }
    }
    json_decref(root);
    return rc;
}

#endif
