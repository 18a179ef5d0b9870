/*
 * Least rights (server/sandbox): the file system but for what libcurl, libssl and the resolver read is out of
 * reach, above all the folder with database and host key, which belongs to the same user; so is every
 * TCP port but the mail server's and that of name servers.
 */
#include <sys/resource.h>

#include "server/mailer/mailer_job.h"
#include "server/sandbox/sandbox.h"

#define DESCRIPTORS_MAX 64
#define CPU_SECONDS     30
#define DNS_PORT        53

static void limit(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit r = {.rlim_cur = most, .rlim_max = most};

    setrlimit(what, &r);
}

int sandbox_enter(const struct job *j, struct fault *f)
{
    const uint16_t connect[] = {(uint16_t)j->port, DNS_PORT};
    static struct sandbox_list l;
    struct sandbox_files files = {.path = l.path,
                                  .system = true,
                                  .connect = connect,
                                  .connect_count = sizeof(connect) / sizeof(connect[0])};
    int rc;

    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
    limit(RLIMIT_CPU, CPU_SECONDS);
    sandbox_list_add(&l, j->ca_file, SANDBOX_READ);
    files.count = l.count;
    rc = sandbox_files(&files, f);
    return rc != 0 ? rc : sandbox_calls(SANDBOX_MAILER, -1, f);
}
