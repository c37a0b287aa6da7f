// The list of contents: folded on narrow pages, with the section that is read marked.
{
  const menu = document.getElementById('menu');
  const contents = document.getElementById('contents');
  const open = (wanted) => {
    menu.setAttribute('aria-expanded', String(wanted));
    contents.classList.toggle('open', wanted);
  };
  document.documentElement.classList.add('scripted');
  menu.hidden = false;
  menu.addEventListener('click', () => open(menu.getAttribute('aria-expanded') === 'false'));
  contents.addEventListener('click', (event) => event.target.closest('a') && open(false));
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && contents.classList.contains('open')) {
      open(false);
      menu.focus();
    }
  });

  const links = new Map([...contents.querySelectorAll('a')].map((link) => [link.hash.slice(1), link]));
  const seen = new Set();
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) seen[isIntersecting ? 'add' : 'delete'](target.id);
      const current = [...links.keys()].find((id) => seen.has(id));
      for (const [id, link] of links) {
        if (id === current) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      }
    },
    { rootMargin: '-80px 0px -60% 0px' },
  );
  for (const id of links.keys()) watch.observe(document.getElementById(id));

  // A link to what is folded unfolds it.
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      for (let each = target; each; each = each.parentElement.closest('details')) each.open = true;
      target.scrollIntoView();
      target.querySelector('summary').focus({ preventScroll: true });
    }
  };
  addEventListener('hashchange', unfold);
  document.addEventListener('click', (event) => {
    if (event.target.closest('a')?.hash === location.hash && location.hash) unfold();
  });
  unfold();
}
