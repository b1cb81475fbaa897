// An example server behind its weather, as a browser knows it: one origin, of the server's own flags.

import { Server } from './server.mjs';
import { Weather, replaced } from './weather.mjs';

/** Stricter than any page needs: scripts of the same origin, and requests to it. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'";

export class Site {
  weather;
  server;
  origin;

  static async open(flags = []) {
    const site = new Site();
    site.weather = await Weather.start();
    site.origin = site.weather.origin;
    site.server = await Server.start(['--origin', site.origin, ...flags]);
    site.weather.leadTo(site.server.origin);
    site.serve('/bare', 'text/html', '<!doctype html><html lang="en"><title>bare</title><body></body></html>');
    return site;
  }

  /** A file that only tests need: the server does not know it. */
  serve(path, type, body, headers = {}) {
    const all = { 'content-type': type, 'content-security-policy': POLICY, 'cache-control': 'no-cache', ...headers };
    return this.weather.order(`GET ${path}`, replaced({ status: 200, headers: all, body }), { standing: true });
  }

  async close() {
    await this.weather.gone();
    await this.server.remove();
  }
}
