// Serves a page with the script of a browser app, and opens it in Chromium as the person who logs in and allows what is asked. Writes what the
// page says in the end.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { Builder, By, until } from 'selenium-webdriver'
import { Options, ServiceBuilder } from 'selenium-webdriver/chrome.js'
import { EMAIL, PASSWORD } from './person.mjs'

const [script, port, chromedriver] = process.argv.slice(2)
const LIMIT = 30_000
const scripts = {
  '/app.js': await readFile(script),
  '/oauth4webapi.js': await readFile(new URL('node_modules/oauth4webapi/build/index.js', import.meta.url)),
}
const page = `<!doctype html><html lang="en"><title>Board</title><body></body>
<script type="importmap">{"imports": {"oauth4webapi": "/oauth4webapi.js"}}</script><script type="module" src="/app.js"></script>`
const server = createServer((request, response) => {
  const found = scripts[request.url]
  response.setHeader('content-type', found ? 'text/javascript' : 'text/html').end(found ?? page)
}).listen(port, '127.0.0.1')

const options = new Options().addArguments('--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--no-proxy-server')
options.setAcceptInsecureCerts(true)
const browser = new Builder().forBrowser('chrome').setChromeOptions(options).setChromeService(new ServiceBuilder(chromedriver))
const driver = await browser.build()
try {
  const control = css => driver.wait(until.elementLocated(By.css(css)), LIMIT)
  await driver.get(`http://127.0.0.1:${port}/`)
  await (await control('[name=email]')).sendKeys(EMAIL)
  await (await control('[name=password]')).sendKeys(PASSWORD)
  await (await control('form.card button')).click()
  await (await control('[name=decision][value=allow]')).click()
  const text = async () => (await driver.getCurrentUrl()).startsWith(`http://127.0.0.1:${port}/`) && control('body').then(body => body.getText())
  console.log(await driver.wait(text, LIMIT))
} finally {
  await driver.quit()
  server.close()
}
