/* nodlclose.c - sanitizer builds only: plugins of Open MPI stay mapped, so that LeakSanitizer can name them. */
#include <dlfcn.h>

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}
