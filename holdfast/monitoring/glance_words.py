"""The sentences of a glance, in each language."""

from collections.abc import Mapping

from holdfast.monitoring.language import Phrase

PRESS = Phrase(
    "If power flows, or if you do not know: press the emergency button at the site, or switch the "
    "inverter off.",
    "Wenn Leistung fließt oder Sie es nicht wissen: den Not-Halt-Taster an der Anlage drücken "
    "oder den Wechselrichter ausschalten.",
)
NO_CONTROLLER = Phrase(
    "No controller tells anything of this site.",
    "Kein Regler meldet etwas von dieser Anlage.",
)
STALE = Phrase(
    "The last data are {age} old: how the site is now, nobody knows.",
    "Die letzten Daten sind {age} alt: Wie es jetzt ist, weiß niemand.",
)
RUNNING_WELL = Phrase(
    "The site is running, and nothing is wrong.",
    "Die Anlage ist in Betrieb, alles ist in Ordnung.",
)
IDLE_WELL = Phrase(
    "The site is at rest, and can be started.",
    "Die Anlage ruht und kann gestartet werden.",
)
FLOWS_ALL_THE_SAME = Phrase(
    "DANGER: the site is off, and {power} are measured at {unit} all the same. Press the emergency "
    "button at the site, or switch the inverter off.",
    "GEFAHR: Die Anlage ist aus, trotzdem wird {power} gemessen: {unit}. Den Not-Halt-Taster an "
    "der Anlage drücken oder den Wechselrichter ausschalten.",
)
POWER_UNKNOWN = Phrase(
    "The site is off, and nobody sees whether power flows at {unit}: look at the inverter's own "
    "display.",
    "Die Anlage ist aus, und niemand sieht, ob noch Leistung fließt: {unit}. Die Anzeige am "
    "Wechselrichter ansehen.",
)
STOPPED = Phrase(
    "Emergency stop: the power is off until somebody at the site resets it.",
    "Not-Halt: Die Leistung ist aus, bis jemand an der Anlage zurücksetzt.",
)
TRIPPED = Phrase(
    "A fault has switched the power off: {why}.",
    "Ein Fehler hat die Leistung abgeschaltet: {why}.",
)
LATCHED = Phrase("Latched: {why}.", "Verriegelt: {why}.")
TRIPS = Phrase(
    "Present now, and switches the site off: {what}.",
    "Jetzt vorhanden und schaltet die Anlage ab: {what}.",
)
EFFECTS: Mapping[str, Phrase] = {
    "ramp_to_zero": Phrase("{what}: no power is permitted.", "{what}: keine Leistung erlaubt."),
    "block_discharge": Phrase(
        "{what}: no discharging is permitted.", "{what}: kein Entladen erlaubt."
    ),
    "block_charge": Phrase("{what}: no charging is permitted.", "{what}: kein Laden erlaubt."),
    "derate": Phrase(
        "{what}: half of the power is permitted.", "{what}: nur die halbe Leistung erlaubt."
    ),
    "hold": Phrase("{what}: the power may not rise.", "{what}: die Leistung darf nicht steigen."),
    "log": Phrase("{what}.", "{what}."),
}
"""Tells what a finding does, by its reaction."""
NOT_ON_DISK = Phrase(
    "What is latched cannot be saved to the disk, and would not survive a restart.",
    "Verriegeltes lässt sich nicht speichern und überlebt keinen Neustart.",
)
LOG_TROUBLE = Phrase(
    "The audit log cannot be written: {why}.",
    "Das Protokoll lässt sich nicht schreiben: {why}.",
)
LEFT_OUT = Phrase("Not all can be shown: {why}.", "Nicht alles kann gezeigt werden: {why}.")
WAITS_FOR_START = Phrase(
    "It was running when its controller ended, and waits for somebody to start it.",
    "Sie war in Betrieb, als der Regler endete, und wartet auf einen Start.",
)
BOOTS = Phrase(
    "The site tests itself; no power is permitted.",
    "Die Anlage prüft sich selbst; keine Leistung erlaubt.",
)
NOT_READY = Phrase("It cannot start yet: {why}.", "Sie kann noch nicht starten: {why}.")
OBSERVES = Phrase(
    "Holdfast only observes this site: it commands nothing, and its stop stops nothing.",
    "Holdfast beobachtet diese Anlage nur: Es steuert nichts, und sein Halt hält nichts an.",
)
THE_BATTERY = Phrase("the battery", "die Batterie")
CHARGES = Phrase("{unit} charges with {power}{soc}.", "{unit} lädt mit {power}{soc}.")
DISCHARGES = Phrase("{unit} discharges with {power}{soc}.", "{unit} entlädt mit {power}{soc}.")
RESTS = Phrase("{unit} rests{soc}.", "{unit} ruht{soc}.")
UNSEEN = Phrase("Nobody sees what {unit} does{soc}.", "Niemand sieht, was los ist: {unit}{soc}.")
ASKS = Phrase("Why: {source}: {reason}.", "Warum: {source}: {reason}.")
IMPORTS = Phrase("The grid gives {power}.", "Das Netz liefert {power}.")
EXPORTS = Phrase("The grid takes {power}.", "Das Netz nimmt {power} auf.")
PLAN_REFUSED = Phrase(
    "The last plan was refused: {why}.", "Der letzte Plan wurde abgelehnt: {why}."
)
