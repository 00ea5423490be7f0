"""One row says what a row of faults, limits or trends means to people, and what to do, in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.monitoring.language import Phrase
from holdfast.monitoring.recovery import steps as s

EMERGENCY_STOP = "emergency_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRow:
    """Tells what has happened, and what to do about it."""

    what: Phrase
    steps: tuple[Phrase, ...]
    """Lists them in their order: what to look at first, and when to call whom."""


_Cells = tuple[str, str, str, tuple[Phrase, ...]]

_SILENT = (s.EXPLAIN, s.POWERED, s.RESTARTED, s.ADDRESS, s.LINE)
_DISOBEYS = (s.ISOLATE, s.ITS_DISPLAY, s.REMOTE_MODE, s.OTHER_MASTER, s.RESET, s.AGAIN)

# fmt: off
_TABLE: tuple[_Cells, ...] = (
    # row                    English                                            German                                                   steps
    (EMERGENCY_STOP,         "emergency stop",                                  "Not-Halt",                                              (s.WHY_STOPPED, s.RELEASE, s.RESET_HERE, s.THEN_START)),
    # faults
    ("data_old",             "its data come late",                              "seine Daten kommen spät",                               (s.NOTHING, s.POWERED, s.LINE)),
    ("data_missing",         "it has never answered",                           "es hat noch nie geantwortet",                           (s.EXPLAIN, s.POWERED, s.ADDRESS, s.ONE_READER, s.LINE)),
    ("data_lost",            "it does not answer any more",                     "es antwortet nicht mehr",                               _SILENT),
    ("data_bad",             "it tells values that cannot be true",             "es meldet Werte, die nicht stimmen können",             (s.RESTARTED, s.EXPLAIN, s.FIRMWARE, s.LINE)),
    ("data_frozen",          "it repeats the same values",                      "es wiederholt dieselben Werte",                         (s.HANGS, s.ONE_READER, s.LASTS)),
    ("data_slow",            "its values come slowly",                          "seine Werte kommen langsam",                            (s.NOTHING, s.LASTS)),
    ("data_gone",            "it has been silent for too long",                 "es schweigt zu lange",                                  (*_SILENT, s.RESET, s.AGAIN)),
    ("cycle_gap",            "the control stood still for a moment",            "die Regelung stand einen Moment still",                 (s.BUSY, s.LOGS, s.RESET, s.AGAIN)),
    ("setpoint_ignored",     "the inverter does not take its setpoint",         "der Wechselrichter nimmt seinen Sollwert nicht an",     _DISOBEYS),
    ("export_limit_ignored", "the inverter ignores its export limit",           "der Wechselrichter missachtet die Einspeisegrenze",     (s.COSTS_MONEY, s.REMOTE_MODE, s.PV_LIMIT)),
    ("pv_switch_ignored",    "the inverter does not switch its PV",             "der Wechselrichter schaltet seine PV nicht",            (s.COSTS_MONEY, s.REMOTE_MODE)),
    ("setpoint_overwritten", "the inverter's setpoint changed by itself",       "der Sollwert des Wechselrichters änderte sich",         (s.RESTARTED, s.OTHER_MASTER)),
    ("second_writer",        "somebody else commands the inverter",             "jemand anderes steuert den Wechselrichter",             (s.OTHER_MASTER, s.REMOTE_MODE, s.RESET, s.AGAIN)),
    ("under_delivery",       "it gives less power than asked for",              "es liefert weniger Leistung als verlangt",              (s.ITS_REASONS, s.LASTS)),
    ("command_held",         "a setpoint is permitted and is not written",      "ein erlaubter Sollwert wird nicht geschrieben",         (s.LASTS,)),
    ("over_delivery",        "more power flowed than was asked for",            "es floss mehr Leistung als verlangt",                   _DISOBEYS),
    ("power_unseen",         "nobody could see whether power flows",            "niemand konnte sehen, ob Leistung fließt",              (s.ISOLATE, *_SILENT, s.RESET, s.AGAIN)),
    ("wrong_sign",           "power flowed the wrong way",                      "Leistung floss in die falsche Richtung",                (s.ISOLATE, s.SIGN, s.FIRMWARE, s.RESET, s.AGAIN)),
    ("contactor_stuck",      "the contactor does not follow its command",       "das Schütz folgt seinem Befehl nicht",                  (s.ISOLATE, s.NOT_BY_HAND, s.COIL, s.RESET, s.AGAIN)),
    ("contactor_dropped",    "the contactor fell open by itself",               "das Schütz fiel von selbst ab",                         (s.NOT_BY_HAND, s.COIL, s.RESET, s.AGAIN)),
    ("contactor_welded",     "the contactor conducts though it shows open",     "das Schütz leitet, obwohl es offen meldet",             (s.WELDED, s.LIVE, s.CALL, s.SERVICE_RESET)),
    ("precharge_failed",     "the precharge did not succeed",                   "die Vorladung gelang nicht",                            (s.LINK_EMPTIES, s.LINK_LOADED, s.NOT_BY_HAND, s.RESET, s.AGAIN)),
    ("precharge_waits",      "the precharge waits until the DC side is empty",  "die Vorladung wartet, bis die DC-Seite leer ist",       (s.NOTHING, s.LINK_LOADED)),
    ("contactor_worn",       "the contactor nears the end of its life",         "das Schütz ist bald am Ende seiner Lebensdauer",        (s.NEW_CONTACTOR,)),
    ("wear_unknown",         "the contactor's wear is not known",               "die Abnutzung des Schützes ist nicht bekannt",          (s.BUSY, s.NEW_CONTACTOR)),
    ("soc_understated",      "the battery may be fuller than it says",          "die Batterie ist vielleicht voller, als sie sagt",      (s.FULL_CHARGE, s.LASTS)),
    ("soc_overstated",       "the battery may be emptier than it says",         "die Batterie ist vielleicht leerer, als sie sagt",      (s.FULL_CHARGE, s.LASTS)),
    ("voltage_stuck",        "the battery's voltage stands still",              "die Spannung der Batterie steht still",                 (s.HANGS, s.SENSOR)),
    ("write_budget",         "an inverter's register nears today's writes",     "ein Register hat bald genug Schreibvorgänge für heute", (s.NOTHING, s.LASTS)),
    ("setpoint_oscillation", "the setpoint swings to and fro",                  "der Sollwert pendelt",                                  (s.OTHER_LOOP, s.WHOLE_METER, s.LASTS)),
    ("resistance_rising",    "the battery's resistance has risen",              "der Widerstand der Batterie ist gestiegen",             (s.JOINT, s.ITS_BMS)),
    ("resistance_doubled",   "the battery's resistance has doubled",            "der Widerstand der Batterie hat sich verdoppelt",       (s.SMELL, s.JOINT, s.ITS_BMS)),
    ("island_contradicted",  "the inverter tells of an island that is none",    "der Wechselrichter meldet ein Inselnetz, das keines ist", (s.ITS_DISPLAY, s.WHOLE_METER)),
    ("meter_sign_wrong",     "the grid meter seems to count the wrong way",     "der Netzzähler zählt anscheinend verkehrt herum",       (s.SIGN, s.WHOLE_METER)),
    ("repeated_fault",       "a fault came back again and again",               "ein Fehler kam immer wieder",                           (s.CAME_BACK, s.LOGS, s.RESET, s.AGAIN)),
    ("repeated_near_limit",  "a limit is met again and again",                  "eine Grenze wird immer wieder erreicht",                (s.CAME_BACK, s.LASTS)),
    ("load_silent",          "a load switch does not answer or obey",           "ein Lastschalter antwortet oder gehorcht nicht",        (s.SWITCH_LOAD, s.POWERED, s.ADDRESS)),
    ("import_missed",        "the batteries cannot hold an import limit",       "die Batterien können eine Grenze des Bezugs nicht halten", (s.LESS_LOAD, s.LASTS)),
    ("export_missed",        "the batteries cannot hold an export limit",       "die Batterien können eine Grenze der Einspeisung nicht halten", (s.PV_LIMIT, s.LASTS)),
    ("mean_import_missed",   "this interval's mean import will be too high",    "der Bezug dieser Viertelstunde wird im Mittel zu hoch", (s.LESS_LOAD, s.LASTS)),
    ("phases_unseen",        "the phases of the grid connection are not seen",  "die Phasen des Netzanschlusses sind nicht zu sehen",    (s.POWERED, s.WHOLE_METER)),
    ("operator_limits",      "the grid operator limits the site",               "der Netzbetreiber begrenzt die Anlage",                 (s.NOTHING,)),
    ("operator_unheard",     "nobody hears of the grid operator's box",         "die Box des Netzbetreibers meldet sich nicht",          (s.POWERED, s.LINE, s.ADDRESS)),
    ("crash_loop",           "the controller ended again and again",            "der Regler brach immer wieder ab",                      (s.BUSY, s.CHANGED, s.LOGS, s.RESET, s.AGAIN)),
    ("latch_file_corrupt",   "the file of latched faults is damaged",           "die Datei der verriegelten Fehler ist beschädigt",      (s.LATCH_FILE, s.BUSY, s.CALL, s.SERVICE_RESET)),
    ("control_exception",    "the control cycle failed",                        "der Regelzyklus ist fehlgeschlagen",                    (s.LOGS, s.CHANGED, s.RESET, s.AGAIN)),
    # limits of a storage unit
    ("cell_voltage_high",    "a cell was too full",                             "eine Zelle war zu voll",                                (s.SMELL, s.REST, s.ITS_BMS, s.RESET, s.BALANCE)),
    ("cell_voltage_low",     "a cell was too empty",                            "eine Zelle war zu leer",                                (s.NO_CHARGE, s.ITS_BMS, s.CALL, s.SERVICE_RESET)),
    ("pack_voltage_high",    "the battery's voltage was too high",              "die Spannung der Batterie war zu hoch",                 (s.SMELL, s.REST, s.ITS_BMS, s.RESET, s.BALANCE)),
    ("pack_voltage_low",     "the battery's voltage was too low",               "die Spannung der Batterie war zu niedrig",              (s.NO_CHARGE, s.ITS_BMS, s.CALL, s.SERVICE_RESET)),
    ("charge_current_high",  "the charging current was too high",               "der Ladestrom war zu hoch",                             (s.SMELL, s.RATED, s.ITS_DISPLAY, s.RESET, s.AGAIN)),
    ("discharge_current_high", "the discharging current was too high",          "der Entladestrom war zu hoch",                          (s.SMELL, s.RATED, s.ITS_DISPLAY, s.RESET, s.AGAIN)),
    ("soc_high",             "the battery is as full as it shall be",           "die Batterie ist so voll wie gewünscht",                (s.NOTHING,)),
    ("soc_low",              "the battery is as empty as it may be",            "die Batterie ist so leer, wie sie sein darf",           (s.NOTHING,)),
    ("cell_temperature_high", "a cell was too hot",                             "eine Zelle war zu heiß",                                (s.SMELL, s.COLD, s.CALL, s.SERVICE_RESET)),
    ("charge_temperature_high", "the battery is too warm to be charged",        "die Batterie ist zu warm zum Laden",                    (s.COOLER, s.SENSOR)),
    ("charge_temperature_low", "the battery is too cold to be charged",         "die Batterie ist zu kalt zum Laden",                    (s.NOTHING, s.WARMER)),
    ("discharge_temperature_low", "the battery is too cold to be discharged",   "die Batterie ist zu kalt zum Entladen",                 (s.NOTHING, s.WARMER)),
    ("ambient_temperature_high", "the battery's room is too warm",              "der Raum der Batterie ist zu warm",                     (s.ROOM, s.COOLER)),
    ("ambient_temperature_low", "the battery's room is too cold",               "der Raum der Batterie ist zu kalt",                     (s.ROOM, s.WARMER)),
    ("cell_imbalance_high",  "the cells differ in voltage",                     "die Zellen haben ungleiche Spannung",                   (s.FULL_CHARGE, s.ITS_BMS, s.BALANCE)),
    ("cell_temperature_spread", "the cells differ in temperature",              "die Zellen sind ungleich warm",                         (s.SMELL, s.ITS_BMS, s.SENSOR)),
    ("cell_voltages_swapped", "the lowest cell voltage is above the highest",   "die niedrigste Zellspannung liegt über der höchsten",   (s.FIRMWARE,)),
    ("cell_temperatures_swapped", "the lowest cell temperature is above the highest", "die niedrigste Zelltemperatur liegt über der höchsten", (s.FIRMWARE,)),
    ("insulation_low",       "the battery's insulation from earth is too low",  "die Isolation der Batterie gegen Erde ist zu schlecht", (s.EARTH, s.DAMP, s.CALL, s.SERVICE_RESET)),
    ("inverter_temperature_high", "the inverter is too hot",                    "der Wechselrichter ist zu heiß",                        (s.SMELL, s.AIR, s.LASTS)),
    ("pack_mismatch_high",   "cells and battery tell different voltages",       "Zellen und Batterie melden verschiedene Spannungen",    (s.ITS_BMS, s.FIRMWARE, s.SENSOR)),
    ("power_mismatch_high",  "BMS and inverter tell different powers",          "BMS und Wechselrichter melden verschiedene Leistungen", (s.SIGN, s.FIRMWARE)),
    ("link_mismatch_high",   "inverter and battery tell different voltages",    "Wechselrichter und Batterie melden verschiedene Spannungen", (s.JOINT, s.FIRMWARE)),
    ("bms_forbids_charge",   "the BMS permits no charging now",                 "das BMS erlaubt gerade kein Laden",                     (s.NOTHING, s.ITS_BMS)),
    ("bms_forbids_discharge", "the BMS permits no discharging now",             "das BMS erlaubt gerade kein Entladen",                  (s.NOTHING, s.ITS_BMS)),
    ("bms_protection",       "the BMS protects the battery by itself",          "das BMS schützt die Batterie von selbst",               (s.SMELL, s.ITS_BMS, s.LASTS)),
    ("bms_alarm",            "the BMS warns",                                   "das BMS warnt",                                         (s.ITS_BMS, s.LASTS)),
    ("inverter_fault",       "the inverter tells a fault",                      "der Wechselrichter meldet einen Fehler",                (s.ITS_DISPLAY, s.OFF_AND_ON, s.AGAIN)),
    # limits of the site
    ("grid_voltage_high",    "the grid's voltage is too high",                  "die Netzspannung ist zu hoch",                          (s.GRID_BACK, s.GRID_OFTEN)),
    ("grid_voltage_low",     "the grid's voltage is too low",                   "die Netzspannung ist zu niedrig",                       (s.GRID_BACK, s.GRID_OFTEN)),
    ("grid_frequency_high",  "the grid's frequency is too high",                "die Netzfrequenz ist zu hoch",                          (s.GRID_BACK, s.GRID_OFTEN)),
    ("grid_frequency_low",   "the grid's frequency is too low",                 "die Netzfrequenz ist zu niedrig",                       (s.GRID_BACK, s.GRID_OFTEN)),
    ("grid_import_high",     "the site draws more than its main fuse permits",  "die Anlage bezieht mehr, als die Hauptsicherung erlaubt", (s.LESS_LOAD, s.GRID_OFTEN)),
    ("grid_export_high",     "the site feeds in more than it may",              "die Anlage speist mehr ein, als sie darf",              (s.PV_LIMIT, s.WHOLE_METER)),
    ("watchdog_lost",        "the watchdog does not answer",                    "der Watchdog antwortet nicht",                          (s.PROCESSES, s.BUSY, s.LOGS)),
    # trends
    ("cell_heating",         "a cell heated up fast",                           "eine Zelle erwärmte sich schnell",                      (s.SMELL, s.COLD, s.CALL, s.SERVICE_RESET)),
    ("cell_voltage_rising",  "a cell's voltage rises fast",                     "die Spannung einer Zelle steigt schnell",               (s.NOTHING, s.BALANCE)),
    ("cell_voltage_falling", "a cell's voltage falls fast",                     "die Spannung einer Zelle fällt schnell",                (s.CHARGE_SOON, s.BALANCE)),
    ("soc_jump",             "the state of charge jumped",                      "der Ladestand ist gesprungen",                          (s.RESTARTED, s.FULL_CHARGE)),
    ("insulation_drift",     "the battery's insulation grows worse",            "die Isolation der Batterie wird schlechter",            (s.EARTH, s.DAMP, s.LASTS)),
    ("imbalance_growth",     "a cell drifts away from the others",              "eine Zelle entfernt sich von den anderen",              (s.ITS_BMS, s.BALANCE)),
    ("predicted_cell_temperature_high", "a cell will soon be too hot",          "eine Zelle wird bald zu heiß",                          (s.SMELL, s.COOLER)),
    ("predicted_cell_voltage_high", "a cell will soon be too full",             "eine Zelle wird bald zu voll",                          (s.NOTHING,)),
    ("predicted_cell_voltage_low", "a cell will soon be too empty",             "eine Zelle wird bald zu leer",                          (s.CHARGE_SOON,)),
)
# fmt: on

ROWS: Mapping[str, RecoveryRow] = {
    name: RecoveryRow(what=Phrase(en, de), steps=steps) for name, en, de, steps in _TABLE
}
assert len(ROWS) == len(_TABLE), "a row stands twice"
UNKNOWN = RecoveryRow(
    what=Phrase(
        "a fault that this release does not know", "ein Fehler, den diese Version nicht kennt"
    ),
    steps=(s.LOGS, s.CALL, s.SERVICE_RESET),
)

DEVICES: Mapping[str, Phrase] = {
    "bms": Phrase("BMS", "BMS"),
    "inverter": Phrase("inverter", "Wechselrichter"),
    "relays": Phrase("relays", "Relais"),
    "meter": Phrase("grid meter", "Netzzähler"),
    "pv_meter": Phrase("PV meter", "PV-Zähler"),
    "emergency_input": Phrase("emergency-stop input", "Not-Halt-Eingang"),
    "grid_operator": Phrase("grid operator's box", "Box des Netzbetreibers"),
    "load_switch": Phrase("load switch", "Lastschalter"),
    "load_meter": Phrase("load's meter", "Zähler der Last"),
    "watchdog": Phrase("watchdog", "Watchdog"),
    "derived": Phrase("computed values", "berechnete Werte"),
    "balance": Phrase("power balance", "Leistungsbilanz"),
}
"""What people call who a finding's row begins with."""
