/* cli_term.h on the Windows console. */
#include "client/cli_term.h"

#include "client/cli_text.h"
#include "common/posix_win.h"

static HANDLE console_of(FILE *to)
{
    return (HANDLE)_get_osfhandle(_fileno(to));
}

/* Windows 10 knows the sequences of other terminals when it is asked to. */
void text_init(void)
{
    FILE *const streams[] = {stdout, stderr};
    DWORD mode;

    for (size_t i = 0; i < 2; i++)
        if (GetConsoleMode(console_of(streams[i]), &mode))
            (void)SetConsoleMode(console_of(streams[i]), mode | ENABLE_PROCESSED_OUTPUT |
                                                             ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

bool term_has_colour(FILE *to)
{
    DWORD mode;

    return GetConsoleMode(console_of(to), &mode) &&
           (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

size_t term_width(FILE *to)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(console_of(to), &info))
        return SIZE_MAX;
    return (size_t)info.srWindow.Right - (size_t)info.srWindow.Left + 1;
}

/* Unicode's East Asian Width: ranges of wide and fullwidth letters, and of marks without width. */
static const struct {
    uint32_t first, last;
    uint8_t width;
} ranges[] = {
    {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},
    {0x2e80, 0x303e, 2},   {0x3041, 0x33ff, 2},   {0x3400, 0x4dbf, 2},   {0x4e00, 0x9fff, 2},
    {0xa000, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
    {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
    {0x1f900, 0x1f9ff, 2}, {0x20000, 0x2fffd, 2}, {0x30000, 0x3fffd, 2},
};

size_t term_letter_width(uint32_t letter)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (letter >= ranges[i].first && letter <= ranges[i].last)
            return ranges[i].width;
    return 1;
}
