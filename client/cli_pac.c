/* `pra pac` (A12): the file by which a browser sends only the company's names through PRA. */
#include <errno.h>
#include <string.h>

#include "client/cli.h"
#include "client/keymake.h"
#include "common/pac.h"
#include "common/addr.h"

#define DEFAULT_PROXY "127.0.0.1:10080"
#define TEXT_MAX      32768

static const struct cli_option options[] = {
    {"local",
     'l',
     "ADDRESS:PORT",
     {"where the forward to the company's proxy listens (" DEFAULT_PROXY ")",
      "社内プロキシへのポート転送のアドレス(既定値 " DEFAULT_PROXY ")"}},
    {"output", 'o', "FILE", {"write to this file", "このファイルに書き出します"}},
    {NULL, 0, NULL, {NULL, NULL}},
};

static int run(int argc, char **argv);

const struct cli_command cli_pac = {
    .name = "pac",
    .synopsis = "NAME... [--local ADDRESS:PORT] [-o FILE]",
    .summary = {"make a PAC file: only the company's names go through PRA",
                "会社の名前だけを PRA 経由にする PAC ファイルを作成します"},
    .about =
        {"While a browser has 127.0.0.1:10080 as its proxy, everything goes to the company, and\n"
         "the internet may be out of reach. With this file as its automatic configuration\n"
         "only the names given here, and what lies below them, go there.",
         "ブラウザのプロキシに 127.0.0.1:10080 を設定している間は、すべての通信が社内を経由し、\n"
         "インターネットを利用できないことがあります。このファイルを自動構成スクリプトに\n"
         "指定すると、ここで指定した名前とその配下だけが PRA を経由します。"},
    .options = options,
    .min_operands = 1,
    .max_operands = PAC_NAMES_MAX,
    .example = "pac example.co.jp intra.example.com -o proxy.pac",
    .run = run,
};

static int check(const struct cli_args *args, const char *proxy)
{
    struct addr_host host;
    uint16_t port;

    for (int i = 0; i < args->count; i++)
        if (!pac_name_valid(args->operand[i]))
            return cli_usage(&cli_pac,
                             tr("'%s' is not the name of a domain, such as example.co.jp",
                                "'%s' は example.co.jp のような名前ではありません"),
                             args->operand[i]);
    /* What it takes holds no quote that would end the file's. */
    if (addr_parse_host_port(proxy, 0, &host, &port) != 0)
        return cli_usage(
            &cli_pac, tr("'%s' is not ADDRESS:PORT", "'%s' は ADDRESS:PORT ではありません"), proxy);
    return CLI_GO_ON;
}

static int run(int argc, char **argv)
{
    char text[TEXT_MAX];
    struct fault f = {0};
    struct cli_args args;
    const char *proxy;
    int rc, code = cli_parse(&cli_pac, argc, argv, &args);

    if (code != CLI_GO_ON)
        return code;
    proxy = args.value[0] != NULL ? args.value[0] : DEFAULT_PROXY;
    code = check(&args, proxy);
    if (code != CLI_GO_ON)
        return code;
    rc =
        pac_write(proxy, (const char *const *)args.operand, (size_t)args.count, text, sizeof(text));
    if (rc != 0)
        (void)fault_set(&f, rc, "the names are too long together");
    else if (args.value[1] == NULL && (fputs(text, stdout) == EOF || fflush(stdout) != 0))
        rc = fault_set(&f, PRA_EIO, "%s", strerror(errno));
    else if (args.value[1] != NULL)
        rc = keymake_write_public(args.value[1], text, &f);
    if (rc != 0)
        return cli_fail(tr("the PAC file cannot be written", "PAC ファイルを書き出せません"), &f);
    if (args.value[1] != NULL)
        fprintf(stderr,
                tr("Written: %s\nNext: give it to your browser or Windows as the automatic "
                   "configuration of the proxy (a file:// address, or a web server's).\n",
                   "作成しました: %s\n次の手順: ブラウザまたは Windows "
                   "の「自動プロキシ構成スクリプト」に、"
                   "このファイルのアドレスを指定してください。\n"),
                args.value[1]);
    return CLI_OK;
}
