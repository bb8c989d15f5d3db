"""Signs in to a Label Studio as its first user would, and looks after the tokens that open it.

    label_studio_tokens.py URL USER make          makes a personal access token and prints it
    label_studio_tokens.py URL USER legacy-on     lets legacy tokens in; legacy-off: keeps them out

The password comes from LABEL_STUDIO_PASSWORD. Runs in the environment Label Studio is installed in, for its `requests`.
"""

import os
import sys

import requests


def signed_in(url: str, user: str) -> requests.Session:
    session = requests.Session()
    login = f"{url}/user/login/"
    session.get(login, timeout=60).raise_for_status()
    form = {
        "email": user,
        "password": os.environ["LABEL_STUDIO_PASSWORD"],
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    session.post(login, data=form, headers={"Referer": login}, timeout=60).raise_for_status()
    session.headers.update({"X-CSRFToken": session.cookies["csrftoken"], "Referer": url})
    return session


def main() -> None:
    url, user, order = sys.argv[1:]
    session = signed_in(url, user)
    if order == "make":
        # It shows a token once only; one that was made before and lost would keep it from making another.
        for known in session.get(f"{url}/api/token/", timeout=60).json():
            session.post(f"{url}/api/token/blacklist/", json={"refresh": known["token"]}, timeout=60).raise_for_status()
        made = session.post(f"{url}/api/token/", timeout=60)
        made.raise_for_status()
        print(made.json()["token"])
    else:
        settings = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": order == "legacy-on"}
        session.post(f"{url}/api/jwt/settings", json=settings, timeout=60).raise_for_status()


main()
