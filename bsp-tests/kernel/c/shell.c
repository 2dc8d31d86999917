/* SPDX-License-Identifier: Apache-2.0 */
/* The shell: its commands are the records of MSH_CMD_EXPORT in section FSymTab. */
#include <rtthread.h>
#include <finsh.h>

#define PROMPT      "msh />"
#define ARGUMENTS   8

int stand_in_read(void);
void stand_in_power_off(void) rt_noreturn;

extern const struct finsh_syscall __fsymtab_start[], __fsymtab_end[];

static void read_line(char *line, rt_size_t size)
{
    rt_size_t length = 0;

    for (;;)
    {
        char c = (char)stand_in_read();

        if (c == '\r' || c == '\n')
        {
            rt_kprintf("\n");
            line[length] = '\0';
            return;
        }
        if (c == '\b' || c == 0x7f)
        {
            if (length)
            {
                --length;
                rt_kprintf("\b \b");
            }
        }
        else if (c >= ' ' && length + 1 < size)
        {
            line[length++] = c;
            rt_kprintf("%c", c);
        }
    }
}

static int split(char *line, char *argv[])
{
    int argc = 0;

    while (argc < ARGUMENTS)
    {
        while (*line == ' ')
        {
            *line++ = '\0';
        }
        if (!*line)
        {
            break;
        }
        argv[argc++] = line;
        while (*line && *line != ' ')
        {
            ++line;
        }
    }
    return argc;
}

static void run(int argc, char *argv[])
{
    for (const struct finsh_syscall *command = __fsymtab_start; command < __fsymtab_end; ++command)
    {
        if (!rt_strcmp(command->name, argv[0]))
        {
            ((int (*)(int, char **))(void (*)(void))command->func)(argc, argv);
            return;
        }
    }
    rt_kprintf("%s: command not found.\n", argv[0]);
}

void stand_in_shell(void)
{
    char line[80];
    char *argv[ARGUMENTS];

    for (;;)
    {
        int argc;

        rt_kprintf(PROMPT);
        read_line(line, sizeof(line));
        argc = split(line, argv);
        if (argc)
        {
            run(argc, argv);
        }
    }
}

static int help(int argc, char *argv[])
{
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    for (const struct finsh_syscall *command = __fsymtab_start; command < __fsymtab_end; ++command)
    {
        rt_kprintf("%-16s - %s\n", command->name, command->desc);
    }
    return 0;
}
MSH_CMD_EXPORT(help, list the commands);

static int poweroff(int argc, char *argv[])
{
    RT_UNUSED(argc);
    RT_UNUSED(argv);
    stand_in_power_off();
}
MSH_CMD_EXPORT(poweroff, end the machine);
