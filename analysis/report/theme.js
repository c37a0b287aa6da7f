// Light or dark: as the system has it, until the reader says otherwise, which holds for the session.
{
  const root = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const shown = () => root.dataset.theme ?? (system.matches ? 'dark' : 'light');
  const stored = (action) => {
    try {
      return action(sessionStorage);
    } catch {
      return null; // refused to pages that are files, by some browsers
    }
  };
  const chosen = stored((storage) => storage.getItem('theme'));
  if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen;

  document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme');
    const told = () => {
      button.setAttribute('aria-pressed', String(shown() === 'dark'));
      document.dispatchEvent(new Event('themechange'));
    };
    button.hidden = false;
    button.addEventListener('click', () => {
      root.dataset.theme = shown() === 'dark' ? 'light' : 'dark';
      stored((storage) => storage.setItem('theme', root.dataset.theme));
      told();
    });
    system.addEventListener('change', told);
    told();
  });
}
