// The page as the smoke tests speak of it, through WebDriver.

import { By, error, until, type WebDriver, type WebElement } from "selenium-webdriver";

import { picture } from "../tests/page";

const PATIENCE = 30_000;

export const answer = "section[aria-label='The answer']";
export const label = By.css("figure h1");
export const tiles = "[aria-labelledby=album-title] li:not([aria-hidden])";

/** A button of a form by its words. */
export const button = (words: string) => By.xpath(`//button[contains(normalize-space(.), '${words}')]`);
export const reason = (value: string) => By.css(`button[name=reason][value=${value}]`);

/** Asks again where the page has put another element into the place meanwhile, which WebKit calls an error. */
async function settled<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (trouble) {
      if (!(trouble instanceof error.StaleElementReferenceError) || tries === 10) throw trouble;
    }
  }
}

export class Visit {
  constructor(
    private readonly driver: WebDriver,
    private readonly address: string,
  ) {}

  async open(path = "/"): Promise<void> {
    await this.driver.get(this.address + path);
  }

  /** A page that comes without scripts is a document, and as it will be. */
  async alive(): Promise<void> {
    if ((await this.driver.findElements(By.css("script[type=module]:not([src='/live.js'])"))).length === 0) return;
    await this.driver.wait(until.elementLocated(By.css("html[data-alive]")), PATIENCE);
  }

  find(what: By): Promise<WebElement> {
    return settled(async () => this.driver.wait(until.elementLocated(what), PATIENCE));
  }

  press(what: By): Promise<void> {
    return settled(async () => {
      const element = await this.find(what);
      await this.driver.executeScript("arguments[0].scrollIntoView({ block: 'center' })", element);
      await element.click();
    });
  }

  /** Gives a photo to the page's file input, as its dialogue would. */
  async choose(name: Parameters<typeof picture>[0]): Promise<void> {
    const input = await this.find(By.css(".source:not(.source--camera) input[type=file]"));
    await input.sendKeys(picture(name));
  }

  /** How many of them there are. Asked for as elements, one that goes at that moment is an error in WebKit. */
  count(selector: string): Promise<number> {
    return this.driver.executeScript("return document.querySelectorAll(arguments[0]).length", selector);
  }

  pressed(what: By): Promise<string | null> {
    return settled(async () => (await this.find(what)).getAttribute("aria-pressed"));
  }

  /** What can be read there, once anything can: words may fade in. */
  text(what: By): Promise<string> {
    return settled(async () => {
      const element = await this.find(what);
      await this.driver.wait(until.elementTextMatches(element, /\S/), PATIENCE);
      return element.getText();
    });
  }
}
