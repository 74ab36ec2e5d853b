// The customer's journey: log in, choose accounts, review, result. Every page belongs to one link and one browser.

import { eligible, findCustomer, logIn, shownNumber, type Account, type Customer } from '../bank.js';
import type { Consent } from '../consents.js';
import type { Decisions, Login, Outcome } from '../decision.js';
import type { Dp } from '../dp.js';
import { Refusal, type Answer, type Request, type Route } from '../http.js';
import { csrfField, date, html, loginForm, page, permission, purpose, seeOther } from './html.js';
import type { Link, Links } from './links.js';
import { Sessions, type Session } from './sessions.js';

interface Visit {
  link: Link;
  login?: Login;
  accounts?: string[];
  outcome?: Promise<Outcome>;
}

const closed = () =>
  new Refusal(403, 'Consent.Invalid', 'This request was decided before, or took too long. Start again from the app that sent you here.');
const loggedOut = () => new Refusal(403, 'access_denied', 'You are not logged in. Start again from the app that sent you here.');

export function journeyRoutes(dp: Dp, links: Links, decisions: Decisions): Route[] {
  const sessions = new Sessions<Visit>();

  /** A session that is of this link, and where need be of a customer. */
  const belongs = (ref: string, session: Session<Visit>) => {
    if (session.data.link !== links.find(ref)) throw loggedOut();
    return session;
  };
  const customerOf = ({ data }: Session<Visit>): Customer => {
    const customer = data.login && findCustomer(data.login.username);
    if (!customer) throw loggedOut();
    return customer;
  };
  const openConsent = ({ consentId }: Link): Consent => {
    if (!decisions.isOpen(consentId)) throw closed();
    return dp.consents.get(consentId);
  };

  function start(_: Request, ref = ''): Answer {
    const link = links.find(ref);
    if (!link) throw new Refusal(404, 'invalid_request', 'This link is unknown or too old. Start again from the app that sent you here.');
    const consent = openConsent(link);
    const { session, headers } = sessions.start(`/link/${ref}`, { link });
    return loginPage(ref, consent, session, undefined, headers);
  }

  function login(request: Request, ref = ''): Answer {
    const { session, form } = sessions.posted(request);
    belongs(ref, session);
    const consent = openConsent(session.data.link);
    const customer = logIn(form.get('username') ?? '', form.get('password') ?? '');
    if (!customer) return loginPage(ref, consent, session, 'The username or password is incorrect.');
    const login = { username: customer.username, at: Math.floor(Date.now() / 1000) };
    const { headers } = sessions.start(`/link/${ref}`, { link: session.data.link, login }, session);
    return seeOther(`/link/${ref}/accounts`, headers);
  }

  function accounts(request: Request, ref = ''): Answer {
    const session = belongs(ref, sessions.get(request));
    const customer = customerOf(session);
    return accountsPage(ref, openConsent(session.data.link), customer, session);
  }

  function choose(request: Request, ref = ''): Answer {
    const { session, form } = sessions.posted(request);
    const customer = customerOf(belongs(ref, session));
    const consent = openConsent(session.data.link);
    const chosen = [...new Set(form.getAll('account'))];
    if (chosen.length === 0) return accountsPage(ref, consent, customer, session, 'Choose at least one account.');
    const own = new Set(eligible(customer).map(({ id }) => id));
    if (!chosen.every((id) => own.has(id))) throw new Refusal(403, 'access_denied', 'This account cannot be shared.');
    session.data.accounts = chosen;
    return seeOther(`/link/${ref}/review`);
  }

  function review(request: Request, ref = ''): Answer {
    const session = belongs(ref, sessions.get(request));
    const customer = customerOf(session);
    const { accounts = [], link } = session.data;
    if (accounts.length === 0) return seeOther(`/link/${ref}/accounts`);
    return reviewPage(ref, openConsent(link), eligible(customer).filter(({ id }) => accounts.includes(id)), session);
  }

  async function decide(request: Request, ref = ''): Promise<Answer> {
    const { session, form } = sessions.posted(request);
    customerOf(belongs(ref, session));
    const { accounts = [], login } = session.data;
    const decision = form.get('decision');
    if (decision === 'reject') return settle(ref, session, (id) => decisions.reject(id));
    if (decision !== 'approve' || !login) throw new Refusal(400, 'invalid_request', 'Approve or reject.');
    if (accounts.length === 0) return seeOther(`/link/${ref}/accounts`);
    return settle(ref, session, (id) => decisions.approve(id, login, accounts));
  }

  function cancel(request: Request, ref = ''): Promise<Answer> {
    return settle(ref, belongs(ref, sessions.posted(request).session), (id) => decisions.reject(id));
  }

  /** Pressed twice, a button gets the outcome of the first time; in another tab it is too late. */
  async function settle(ref: string, { data }: Session<Visit>, decide: (consentId: string) => Promise<Outcome>): Promise<Answer> {
    if (!data.outcome) {
      openConsent(data.link);
      data.outcome = decide(data.link.consentId);
    }
    await data.outcome; // PayNet knows before the browser goes back
    return seeOther(`/link/${ref}/result`);
  }

  async function result(request: Request, ref = ''): Promise<Answer> {
    const { link, outcome } = belongs(ref, sessions.get(request)).data;
    if (!outcome) throw closed();
    return resultPage(await outcome, link);
  }

  const at = (rest: string) => new RegExp(`^/link/([A-Za-z0-9_-]{43})${rest}$`);
  return [
    { method: 'GET', path: at(''), handle: start },
    { method: 'POST', path: at('/login'), handle: login },
    { method: 'GET', path: at('/accounts'), handle: accounts },
    { method: 'POST', path: at('/accounts'), handle: choose },
    { method: 'GET', path: at('/review'), handle: review },
    { method: 'POST', path: at('/review'), handle: decide },
    { method: 'POST', path: at('/cancel'), handle: cancel },
    { method: 'GET', path: at('/result'), handle: result },
  ];
}

// ---- pages ----

function loginPage(ref: string, consent: Consent, { csrf }: Session<Visit>, error?: string, headers?: Record<string, string>): Answer {
  const main = html`<p>The app <strong data-testid="dc">${consent.dcId}</strong> asks to read data of your accounts. You decide what it may see.</p>
${loginForm(`/link/${ref}/login`, csrf, error)}
<form method="post" action="/link/${ref}/cancel" data-testid="cancel">
${csrfField(csrf)}
<button type="submit" class="quiet" data-testid="cancel-button">Cancel and share nothing</button>
</form>`;
  return page('Log in to share your data', main, 200, headers);
}

function accountsPage(ref: string, { dcId }: Consent, customer: Customer, { csrf }: Session<Visit>, error?: string): Answer {
  const choices = eligible(customer).map(
    (account, index) => html`<label><input type="checkbox" name="account" value="${account.id}" data-testid="account-${String(index + 1)}">
<strong>${account.name}</strong> <span class="number">${shownNumber(account)}</span></label>`,
  );
  const main = html`<p>${customer.name}, which accounts may <strong data-testid="dc">${dcId}</strong> read?</p>
${error ? html`<p class="error" role="alert" data-testid="error">${error}</p>` : undefined}
<form method="post" action="/link/${ref}/accounts" data-testid="accounts">
${csrfField(csrf)}
<fieldset><legend>Your accounts</legend>
${choices}
</fieldset>
<button type="submit" data-testid="submit">Continue</button>
</form>`;
  return page('Choose accounts', main);
}

function reviewPage(ref: string, consent: Consent, accounts: Account[], { csrf }: Session<Visit>): Answer {
  const main = html`<dl data-testid="consent">
<dt>App</dt><dd data-testid="dc">${consent.dcId}</dd>
<dt>Purpose</dt><dd data-testid="purpose">${purpose(consent.purpose)}</dd>
<dt>Data</dt><dd><ul data-testid="permissions">${consent.permissions.map(permission)}</ul></dd>
<dt>Accounts</dt><dd><ul data-testid="accounts">${accounts.map(
    (account) => html`<li>${account.name} <span class="number">${shownNumber(account)}</span></li>`,
  )}</ul></dd>
<dt>Until</dt><dd data-testid="until">${date(consent.expiresAt)}</dd>
</dl>
<p>You can withdraw your consent at any time. The app cannot move money.</p>
<form method="post" action="/link/${ref}/review" data-testid="review">
${csrfField(csrf)}
<button type="submit" name="decision" value="approve" data-testid="approve">Approve</button>
<button type="submit" name="decision" value="reject" class="quiet" data-testid="reject">Reject</button>
</form>`;
  return page('Review what you share', main);
}

const RESULTS: Record<Outcome, { title: string; text: string; error?: [string, string] }> = {
  success: { title: 'Your accounts are linked', text: 'You can withdraw this consent at any time.' },
  rejected: {
    title: 'You declined the request',
    text: 'Nothing was shared.',
    error: ['access_denied', 'The customer declined the consent'],
  },
  too_late: {
    title: 'It is too late for this request',
    text: 'It has expired, and nothing was shared. Please try again from the app that sent you here.',
    error: ['access_denied', 'The request has expired'],
  },
  failed: {
    title: 'We could not complete your request',
    text: 'Nothing was shared. Please try again from the app that sent you here.',
    error: ['server_error', 'The decision could not be recorded'],
  },
};

/** The way back is the redirect_uri that PayNet gave, with what it had in its query, and no data of the customer. */
function resultPage(outcome: Outcome, { consentId, redirectUri }: Link): Answer {
  const { title, text, error } = RESULTS[outcome];
  const back = new URL(redirectUri);
  back.searchParams.set('consent_id', consentId);
  if (error) {
    back.searchParams.set('error', error[0]);
    back.searchParams.set('error_description', error[1]);
  }
  const main = html`<p data-testid="result" data-result="${error ? (outcome === 'rejected' ? 'rejected' : 'failed') : 'success'}">${text}</p>
<p><a class="button" href="${back.href}" data-testid="back">Back to the app</a></p>`;
  return page(title, main);
}
