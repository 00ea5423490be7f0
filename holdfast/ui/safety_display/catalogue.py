"""The words of the plain pages, in each language."""

from collections.abc import Mapping

from holdfast.core.state_machine import State
from holdfast.monitoring.glance import Verdict
from holdfast.monitoring.language import Phrase

# fmt: off
STOP = Phrase("EMERGENCY STOP", "NOT-HALT")
STOP_AGAIN = Phrase("STOP AGAIN", "NOCH EINMAL")
STOP_HINT = Phrase(
    "One press: 0 W at once, inverters off, contactors open. It holds until somebody resets it at the site's computer.",
    "Ein Druck: sofort 0 W, Wechselrichter aus, Schütze offen. Das bleibt, bis jemand am Rechner der Anlage zurücksetzt.")
STOP_IN_VAIN = Phrase(
    "Holdfast only observes this site. This button stops nothing: use the one at the site.",
    "Holdfast beobachtet diese Anlage nur. Diese Taste hält nichts an: den Taster an der Anlage benutzen.")

VERDICTS: Mapping[Verdict, Phrase] = {
    "safe": Phrase("SAFE", "SICHER"),
    "attention": Phrase("ATTENTION", "ACHTUNG"),
    "fault": Phrase("FAULT", "FEHLER"),
    "stopped": Phrase("STOPPED", "ANGEHALTEN"),
    "unknown": Phrase("NOT KNOWN", "UNBEKANNT"),
}
STATES: Mapping[State, Phrase] = {
    State.BOOT: Phrase("BOOT: self-test", "BOOT: Selbsttest"),
    State.IDLE: Phrase("IDLE: at rest", "IDLE: in Ruhe"),
    State.RUNNING: Phrase("RUNNING: in operation", "RUNNING: in Betrieb"),
    State.ERROR: Phrase("ERROR: a fault has tripped", "ERROR: durch Fehler abgeschaltet"),
    State.STOPPED: Phrase("STOPPED: emergency stop", "STOPPED: Not-Halt"),
}
assert STATES.keys() == set(State), "every state has its words"

NOW = Phrase("The site now", "Die Anlage jetzt")
STATE = Phrase("State", "Zustand")
AS_OF = Phrase("As of", "Stand")
OLD = Phrase("{time}, {age_s:.1f} s old", "{time}, {age_s:.1f} s alt")
SHOWN_AT = Phrase("Shown at", "Angezeigt um")
NO_DATA = Phrase("no data", "keine Daten")

LATCHED = Phrase("Latched", "Verriegelt")
RESET_BY = Phrase("Who may reset it", "Wer zurücksetzen darf")
CLEARED_BY = {
    "operator": Phrase("an operator, at the site's computer", "ein Bediener, am Rechner der Anlage"),
    "service": Phrase("service only, after an inspection", "nur der Service, nach einer Prüfung"),
}
WHAT_TO_DO = Phrase("What to do", "Was zu tun ist")
FINDINGS = Phrase("What is not as it should be", "Was nicht ist, wie es soll")

WITHOUT_THIS = Phrase("If this page does not stop it", "Wenn diese Seite nicht anhält")
WAYS = (
    Phrase("Press the emergency button at the site, if it has one.",
           "Den Not-Halt-Taster an der Anlage drücken, falls es einen gibt."),
    Phrase("Switch the inverter off at the device, or open the main switch.",
           "Den Wechselrichter am Gerät ausschalten oder den Hauptschalter öffnen."),
    Phrase("At the site's computer: `holdfast estop`.",
           "Am Rechner der Anlage: `holdfast estop`."),
)
CONTACTS = Phrase("Whom to call", "Wen anrufen")
NO_CONTACTS = Phrase(
    "Nobody is named: `contacts` in site.yaml.", "Niemand ist genannt: `contacts` in site.yaml.")
FIRE = Phrase("Smoke or fire: leave, and call the fire brigade.",
              "Rauch oder Feuer: hinausgehen und die Feuerwehr rufen.")

REFRESHES = Phrase("This page renews itself every {seconds} s.",
                   "Diese Seite erneuert sich alle {seconds} s.")
HOLD_STILL = Phrase("Hold it still", "Erneuerung anhalten")
STANDS_STILL = Phrase("This page does not renew itself.", "Diese Seite erneuert sich nicht.")
RENEW = Phrase("Let it renew itself", "Erneuerung einschalten")
BACK = Phrase("How the site is now", "Wie die Anlage jetzt ist")

# ---------------------------------------------------------------------- after a stop
TAKEN = Phrase("The stop was taken", "Der Not-Halt wurde ausgeführt")
TAKEN_AT = Phrase("The controller took it at {time}, and wrote 0 W.",
                  "Der Regler hat ihn um {time} angenommen und 0 W geschrieben.")
IS_LATCHED = Phrase("It is latched, also over a restart.",
                    "Er ist verriegelt, auch über einen Neustart hinweg.")
NOT_ON_DISK = Phrase(
    "It is latched, but NOT ON THE DISK: a restart would lose it. Do not switch the computer off.",
    "Er ist verriegelt, aber NICHT GESPEICHERT: Ein Neustart verlöre ihn. Den Rechner nicht ausschalten.")
ZERO_SEEN = Phrase("0 W are measured at every battery.", "An jeder Batterie werden 0 W gemessen.")
ZERO_NOT_SEEN = Phrase(
    "0 W are NOT YET MEASURED: look again. If power flows on, press the button at the site or switch the inverter off.",
    "0 W werden NOCH NICHT GEMESSEN: noch einmal nachsehen. Fließt weiter Leistung, den Taster an der Anlage drücken oder den Wechselrichter ausschalten.")
CONTROLLER_SAYS = Phrase("The controller says: {reason}", "Der Regler sagt: {reason}")
NOT_TAKEN = Phrase("NOT STOPPED", "NICHT ANGEHALTEN")
MAYBE_TAKEN = Phrase("NOT KNOWN TO BE STOPPED", "NICHT SICHER ANGEHALTEN")
ABSENT = Phrase("Nothing was stopped: no controller answers at this site.",
                "Nichts wurde angehalten: Kein Regler dieser Anlage antwortet.")
HANGS = Phrase(
    "The controller did not answer within a second. If it comes back to life it may still carry the stop out.",
    "Der Regler hat nicht binnen einer Sekunde geantwortet. Kommt er zu sich, führt er den Not-Halt vielleicht noch aus.")
FORBIDDEN = Phrase("Nothing was stopped: this page may not talk to the controller.",
                   "Nichts wurde angehalten: Diese Seite darf nicht mit dem Regler sprechen.")
REFUSED = Phrase("The controller answered, and did not say that it stopped: {reason}",
                 "Der Regler hat geantwortet, aber nicht, dass er anhielt: {reason}")
DO_NOW = Phrase("Do this now", "Jetzt tun")
WATCHDOG = Phrase(
    "The watchdog runs: half a second after the controller's last cycle it takes the power to 0 W, and opens the contactor.",
    "Der Watchdog läuft: Eine halbe Sekunde nach dem letzten Zyklus des Reglers bringt er die Leistung auf 0 W und öffnet das Schütz.")
NO_WATCHDOG = Phrase("No watchdog runs.", "Es läuft kein Watchdog.")

# ---------------------------------------------------------------------- start
START = Phrase("Start the site", "Die Anlage starten")
START_LINK = Phrase("Start the site …", "Die Anlage starten …")
START_DOES = Phrase(
    "The contactors close, and power flows: {charge:.0f} W charging and {discharge:.0f} W discharging at the most.",
    "Die Schütze schließen, und Leistung fließt: höchstens {charge:.0f} W Laden und {discharge:.0f} W Entladen.")
START_OBSERVES = Phrase("Holdfast only observes this site: it writes nothing to any device.",
                        "Holdfast beobachtet diese Anlage nur: Es schreibt nichts auf die Geräte.")
START_ASKS = Phrase("Is nobody working at the battery, the inverter or their cables?",
                    "Arbeitet niemand an Batterie, Wechselrichter oder deren Kabeln?")
START_NOT_NOW = Phrase("It cannot be started now:", "Sie kann jetzt nicht gestartet werden:")
START_STATE = Phrase("the site is in {state}", "die Anlage ist in {state}")
NAME = Phrase("Name", "Name")
PASSWORD = Phrase("Password", "Passwort")
CODE = Phrase("Code of the authenticator, if you have one", "Code der Authenticator-App, falls vorhanden")
STARTED = Phrase("The controller took the start", "Der Regler hat den Start angenommen")
NOT_STARTED = Phrase("NOT STARTED", "NICHT GESTARTET")
LOGIN_ELSEWHERE = Phrase(
    "Nobody can log in here. Log in at the pages of this site, or run `holdfast start` at its computer.",
    "Hier kann sich niemand anmelden. Auf den Seiten der Anlage anmelden, oder an ihrem Rechner `holdfast start`.")
OLD_FORM = Phrase("This form is too old, or was sent before: open the page anew.",
                  "Dieses Formular ist zu alt oder wurde schon gesendet: die Seite neu öffnen.")
NO_ANSWER = Phrase("No controller answers: {reason}", "Kein Regler antwortet: {reason}")

# ---------------------------------------------------------------------- refusals
REFUSAL = Phrase("Refused", "Abgelehnt")
CROSS_SITE = Phrase(
    "This was sent by another page than this site's own, and nothing was done. Press the button on this site's page.",
    "Das kam von einer anderen Seite als der dieser Anlage; nichts wurde getan. Die Taste auf der Seite dieser Anlage drücken.")
FOREIGN_NAME = Phrase(
    "This computer is not known by the name {host}. Open the page by its address in numbers, such as http://192.168.1.20:9464/.",
    "Dieser Rechner ist unter dem Namen {host} nicht bekannt. Die Seite über die Adresse in Zahlen öffnen, etwa http://192.168.1.20:9464/.")
NO_PAGE = Phrase("There is no such page.", "Diese Seite gibt es nicht.")
NOT_SO = Phrase("This page takes {methods} and nothing else.", "Diese Seite nimmt nur {methods}.")
NOT_UNDERSTOOD = Phrase("This request is not understood: {why}", "Diese Anfrage ist nicht verständlich: {why}")
BROKEN = Phrase("The site cannot be shown now. The button works all the same.",
                "Die Anlage kann gerade nicht gezeigt werden. Die Taste wirkt trotzdem.")
BUSY = Phrase("Too many are trying to log in: wait for a minute.",
              "Zu viele Anmeldungen auf einmal: eine Minute warten.")
# fmt: on
