// Runs before the first paint. `system` is the absence of the attribute.
try {
  var theme = localStorage.getItem("baton.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (_) {
  // Without storage the system's theme is used.
}
