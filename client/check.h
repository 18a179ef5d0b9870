/*
 * `pra check`: looks at this PC's network, the way to the gateway, the key and the local ports, and
 * says for each what stands and what to do. check_run() collects, check_print() and check_json()
 * show; the parts are in check_net.c (this PC), check_gateway.c (the way) and check_pc.c (key,
 * ports). Synchronous; every step of the network is bounded, and so is the whole.
 */
#ifndef PRA_CLIENT_CHECK_H
#define PRA_CLIENT_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "client/config.h"
#include "common/format.h"
#include "common/msg.h"
#include "client/paths.h"

#define CHECK_STEP_MS  5000
#define CHECK_TOTAL_MS 20000

#define CHECK_ITEMS_MAX 128
#define CHECK_PORTS_MAX 64
#define CHECK_TEXT_MAX  1024

enum check_state { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_item {
    char id[80]; /* stable word for programs: "address_type", "tcp", "port:127.0.0.1:110" */
    enum check_state state;
    const char *code;            /* "ERR(10203)" as `pra connect` would show it, or "" (static) */
    char text[CHECK_TEXT_MAX];   /* what was found, in this language */
    char detail[CHECK_TEXT_MAX]; /* what to do, or evidence; may be "" */
};

enum check_direction { CHECK_OUT, CHECK_LOCAL };
enum check_reach { CHECK_OPEN, CHECK_CLOSED, CHECK_UNTESTED };

/* A row of the table of ports needed (B5). */
struct check_port {
    uint16_t port;
    enum check_direction direction;
    const char *protocol; /* static: "TCP" */
    bool mandatory;       /* marked with ※ */
    enum check_reach reach;
    char detail[CHECK_TEXT_MAX];
};

/* What the checks know of each other. */
struct check {
    const struct paths *paths;
    struct config config;
    bool has_config;
    uint64_t deadline; /* monotonic ms */
    size_t items, ports;
    struct check_item item[CHECK_ITEMS_MAX];
    struct check_port port[CHECK_PORTS_MAX];
};

/* Runs everything. `c` is large: allocate it. */
void check_run(const struct paths *paths, struct check *c);

bool check_failed(const struct check *c);
void check_print(const struct check *c, FILE *to);
/* {"checks":[{"id","state","code","text","detail"}],"ports":[{"port","direction","protocol","detail",
   "mandatory","state"}]}. New reference, NULL when out of memory. */
json_t *check_json(const struct check *c);

/* --- for the parts ------------------------------------------------------------------------ */

/* Adds an item; `detail` may be NULL. Rows over the limits are dropped. */
void check_add(struct check *c, const char *id, enum check_state state, const char *detail,
               const char *fmt, ...) FORMAT_PRINTF(5, 6);
/* Gives the item that was added last the code of a message. */
void check_add_code(struct check *c, enum msg_id id);
void check_add_port(struct check *c, uint16_t port, enum check_direction direction,
                    const char *protocol, bool mandatory, enum check_reach reach,
                    const char *detail);
/* Milliseconds that the next step may take: CHECK_STEP_MS or what is left; 0 = none. */
int check_step_ms(const struct check *c);

void check_network(struct check *c); /* address, gateway, DNS, proxy */
void check_gateway(struct check *c); /* name, TCP, 10022 OK!, clock */
void check_key(struct check *c);     /* host key pin, key, binding */
void check_ports(struct check *c);   /* permission below 1024, each forward */

#endif
