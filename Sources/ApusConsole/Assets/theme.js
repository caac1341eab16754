// Sets the chosen theme before the first paint. Without a choice the page follows the system.
try {
    const theme = localStorage.getItem("apus-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
    // A browser may forbid storage; then there is no choice to remember.
}
