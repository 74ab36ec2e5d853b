// Calls back when the page has loaded and nothing has changed on it for a moment.
const done = arguments[arguments.length - 1];
const QUIET_MS = 100;
let timer;
const loaded = () => {
    if (document.readyState === 'complete') done(true);
    else addEventListener('load', () => done(true), { once: true });
};
const end = () => {
    observer.disconnect();
    loaded();
};
const observer = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(end, QUIET_MS);
});
observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
timer = setTimeout(end, QUIET_MS);
