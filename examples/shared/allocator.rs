//! Static builds with musl: its own allocator asks the kernel for a page at a time, and gives it back. A plugin that
//! starts for every container pays more for that than for the work.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
