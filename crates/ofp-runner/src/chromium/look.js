// What a person sees on this page, as data. `arguments[0]` has the target file's selectors. Everything that can be
// used is marked, so that it can be found again by a selector.
const chosen = arguments[0];
let marks = 0;
const mark = (element) => {
    element.setAttribute('data-ofp-sim', ++marks);
    return `[data-ofp-sim="${marks}"]`;
};
const visible = (element) =>
    element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
const all = (css) => [...document.querySelectorAll(css)].filter(visible);
const first = (css) => (css ? all(css)[0] : undefined);
const text = (element) =>
    (element.innerText || element.value || element.getAttribute('aria-label') || '').trim();
const labelOf = (element) => (element.labels ? element.labels[0] : undefined);
const label = (element) => {
    const around = labelOf(element) || element.closest('li, tr, label, [role=listitem]');
    return (around ? text(around) : element.getAttribute('aria-label') || text(element)).trim();
};
const at = (element) => (element ? mark(element) : null);

const password = first(chosen.password) || first('input[type=password]');
const username =
    first(chosen.username) || first('input[type=text], input[type=email], input[type=tel], input:not([type])');
// a box that is drawn by its label is ticked by its label
const boxes = [...document.querySelectorAll(
    chosen.accounts || 'input[type=checkbox], input[type=radio], [role=checkbox], [role=radio]',
)].map((box) => [box, visible(box) ? box : labelOf(box)]).filter(([, seen]) => seen && visible(seen));
const alertBox = first(chosen.error || '[role=alert]');
return {
    title: document.title,
    text: text(document.querySelector('main') || document.body || document.documentElement),
    alert: alertBox ? text(alertBox) : null,
    password: at(password),
    username: at(username),
    log_in: at(first(chosen.log_in)),
    next: at(first(chosen.next)),
    approve: at(first(chosen.approve)),
    reject: at(first(chosen.reject)),
    back: at(first(chosen.back)),
    choices: boxes.map(([box, seen]) => ({
        at: mark(seen),
        label: label(box),
        on: Boolean(box.checked) || box.getAttribute('aria-checked') === 'true',
    })),
    buttons: all('button, input[type=submit], input[type=button], [role=button]')
        .filter((button) => !button.disabled)
        .map((button) => ({ at: mark(button), label: text(button) })),
    links: all('a[href]').map((link) => ({ at: mark(link), label: text(link), href: link.href })),
};
