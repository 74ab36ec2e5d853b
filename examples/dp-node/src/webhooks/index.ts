// The endpoints that PayNet calls.

import type { Dp } from '../dp.js';
import { json, type Route } from '../http.js';
import type { Links } from '../pages/links.js';
import { authorize } from './authorize.js';
import { event } from './event.js';
import { RESOURCES, resource } from './resources.js';
import { userinfo } from './userinfo.js';

/** An account_id is one opaque segment; it is looked up among the accounts of the consent, and nowhere else. */
const accounts = (rest: string) => new RegExp(`^/v1/accounts/([A-Za-z0-9_-]{1,64})${rest}$`);

export function webhookRoutes(dp: Dp, links: Links): Route[] {
  return [
    { method: 'GET', path: /^\/v1\/health$/, handle: () => json(200, { status: 'up' }) },
    { method: 'POST', path: /^\/v1\/consents\/events$/, handle: (request) => event(dp, request) },
    { method: 'GET', path: /^\/v1\/oauth\/authorize$/, handle: (request) => authorize(dp, links, request) },
    { method: 'GET', path: /^\/OFM\/MY\/Authorize\/AIS$/, handle: (request) => authorize(dp, links, request) },
    { method: 'GET', path: /^\/v1\/oauth\/userinfo$/, handle: (request) => userinfo(dp, request) },
    { method: 'GET', path: accounts(''), handle: (request, id = '') => resource(dp, RESOURCES.account, id, request) },
    { method: 'GET', path: accounts('/balances'), handle: (request, id = '') => resource(dp, RESOURCES.balances, id, request) },
    { method: 'GET', path: accounts('/transactions'), handle: (request, id = '') => resource(dp, RESOURCES.transactions, id, request) },
  ];
}
