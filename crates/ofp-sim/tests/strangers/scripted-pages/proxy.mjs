// Stands before a DP's pages and builds them with JavaScript, as a single-page application does: the document is empty,
// forms are sent by fetch and nothing loads a page until the customer leaves. For driver `browser`; driver `form` sees nothing.
// proxy.mjs LISTEN UPSTREAM CERTIFICATE KEY CA
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [listen, upstream, certificate, key, ca] = process.argv.slice(2);
const trust = readFileSync(ca);

function application(html) {
    const page = JSON.stringify(html).replaceAll('<', '\\u003c');
    return `<!doctype html><title>…</title><div id="app">Loading…</div><script>
const app = document.getElementById('app');
function show(html) {
    const page = new DOMParser().parseFromString(html, 'text/html');
    document.title = page.title;
    app.replaceChildren(...page.body.childNodes);
    for (const form of app.querySelectorAll('form')) form.addEventListener('submit', send);
}
async function send(event) {
    event.preventDefault();
    const { target, submitter } = event;
    const body = new URLSearchParams(new FormData(target, submitter));
    app.textContent = 'One moment…';
    const url = submitter.hasAttribute('formaction') ? submitter.formAction : target.action;
    const answer = await fetch(url, { method: 'POST', body, headers: { 'x-scripted': '1' } });
    history.pushState(null, '', answer.url);
    show(await answer.text());
}
setTimeout(() => show(${page}), 150);
</script>`;
}

https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
    const scripted = request.headers['x-scripted'];
    const headers = { ...request.headers, host: `localhost:${listen}` };
    delete headers['x-scripted'];
    const { method, url: path } = request;
    const call = https.request({ host: 'localhost', port: upstream, method, path, headers, ca: trust }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => {
            const back = { ...answer.headers };
            delete back['content-security-policy'];
            delete back['content-length'];
            delete back['transfer-encoding'];
            let body = Buffer.concat(chunks);
            const isPage = String(back['content-type']).startsWith('text/html');
            // what a script fetches after a redirect has lost its header: it asks for anything, a browser for HTML
            const asksForPage = String(request.headers.accept).includes('text/html');
            if (isPage && asksForPage && !scripted) body = application(body.toString());
            response.writeHead(answer.statusCode, back).end(body);
        });
    });
    call.on('error', (error) => response.writeHead(502).end(String(error)));
    request.pipe(call);
}).listen(Number(listen), '127.0.0.1');
