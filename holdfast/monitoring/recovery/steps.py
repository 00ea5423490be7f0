"""The steps of recovery are sentences, each once; the rows of :mod:`rows` put them in order."""

from holdfast.monitoring.language import Phrase

# fmt: off
# ---------------------------------------------------------------------- people and fire
SMELL = Phrase(
    "First from a distance: smoke, smell, hissing, heat, swelling? Then leave the room, close the door and call the fire brigade.",
    "Zuerst aus der Ferne: Rauch, Geruch, Zischen, Hitze, Wölbung? Dann den Raum verlassen, die Tür schließen und die Feuerwehr rufen.")
COLD = Phrase(
    "Keep everybody away until the battery has been cold for hours. Do not start it, do not open it.",
    "Alle fernhalten, bis die Batterie seit Stunden kalt ist. Nicht starten, nicht öffnen.")
LIVE = Phrase(
    "Open no cover: the battery is live even when everything is switched off.",
    "Keine Abdeckung öffnen: Die Batterie steht auch dann unter Spannung, wenn alles ausgeschaltet ist.")
EARTH = Phrase(
    "Do not touch battery, rack or cables: its case may be live. Keep others away, and water most of all.",
    "Batterie, Gestell und Kabel nicht berühren: Das Gehäuse kann unter Spannung stehen. Andere fernhalten, vor allem aber Wasser.")
ISOLATE = Phrase(
    "If power still flows, switch the inverter off at the device, then open the battery's disconnector.",
    "Fließt noch Leistung: den Wechselrichter am Gerät ausschalten, dann den Batterietrenner öffnen.")
CALL = Phrase(
    "Call service. Until then the site stays off.",
    "Den Service rufen. Bis dahin bleibt die Anlage aus.")
SERVICE_RESET = Phrase(
    "After the inspection service clears it at the site's computer: `holdfast reset --service`.",
    "Nach der Prüfung löscht der Service den Fehler am Rechner der Anlage: `holdfast reset --service`.")
RESET = Phrase(
    "Once the cause is gone: `holdfast reset`, wait for the self-test, then `holdfast start`.",
    "Wenn die Ursache beseitigt ist: `holdfast reset`, den Selbsttest abwarten, dann `holdfast start`.")
AGAIN = Phrase(
    "If it comes again after a reset, leave the site off and call service.",
    "Kommt es nach dem Zurücksetzen wieder: Anlage aus lassen und den Service rufen.")
NOTHING = Phrase(
    "Nothing needs to be done: it ends by itself.",
    "Es ist nichts zu tun: Es endet von selbst.")
LASTS = Phrase(
    "If it lasts for hours, or comes every day, tell service.",
    "Dauert es Stunden oder kommt es täglich, den Service benachrichtigen.")
EXPLAIN = Phrase(
    "`holdfast explain` says which device it is, where it is, and what was seen.",
    "`holdfast explain` sagt, welches Gerät es ist, wo es ist und was gesehen wurde.")

# ---------------------------------------------------------------------- devices and lines
POWERED = Phrase(
    "Look at the device: has it power, and is its data or network cable plugged in at both ends?",
    "Das Gerät ansehen: Hat es Strom, und steckt sein Daten- oder Netzwerkkabel an beiden Enden?")
ADDRESS = Phrase(
    "If its address has changed, after a change of the router perhaps, write the new one into site.yaml.",
    "Hat sich seine Adresse geändert, etwa durch einen neuen Router, die neue in site.yaml eintragen.")
RESTARTED = Phrase(
    "If it was restarted or updated just now, give it a minute.",
    "Wurde es gerade neu gestartet oder aktualisiert, eine Minute warten.")
LINE = Phrase(
    "Look at the line: termination, shield, power cables beside it, a second device with the same address.",
    "Die Leitung prüfen: Abschluss, Schirm, Stromkabel daneben, ein zweites Gerät mit derselben Adresse.")
ONE_READER = Phrase(
    "End other programs and gateways that talk to this device: many answer only one of them.",
    "Andere Programme und Gateways beenden, die mit dem Gerät sprechen: Viele antworten nur einem.")
HANGS = Phrase(
    "The device answers and hangs inside: switch it off, wait for a minute, switch it on again.",
    "Das Gerät antwortet und hängt innerlich: ausschalten, eine Minute warten, wieder einschalten.")
FIRMWARE = Phrase(
    "After an update of its firmware its table may no longer fit: go back to the firmware before, or get a table that fits.",
    "Nach einem Firmware-Update passt die Gerätetabelle vielleicht nicht mehr: zur Firmware davor zurück, oder eine passende Tabelle.")
SENSOR = Phrase(
    "If the value cannot be true, a sensor or its plug has failed: call service.",
    "Kann der Wert nicht stimmen, ist ein Fühler oder sein Stecker defekt: den Service rufen.")

# ---------------------------------------------------------------------- inverter and meter
OTHER_MASTER = Phrase(
    "Find who else commands the inverter and end that: the maker's app or cloud, home automation, a second controller.",
    "Finden, wer den Wechselrichter noch steuert, und das beenden: App oder Cloud des Herstellers, Hausautomation, ein zweiter Regler.")
REMOTE_MODE = Phrase(
    "Look in the inverter's own menu whether it takes commands from outside (remote, external or forced control).",
    "Im Menü des Wechselrichters prüfen, ob er Befehle von außen annimmt (Fernsteuerung, externe Vorgabe).")
ITS_DISPLAY = Phrase(
    "Read the inverter's own display or app: note the number of the fault and what its manual says of it.",
    "Anzeige oder App des Wechselrichters lesen: Fehlernummer notieren und im Handbuch nachsehen.")
OFF_AND_ON = Phrase(
    "Switch the inverter off, wait for five minutes, and switch it on again.",
    "Den Wechselrichter ausschalten, fünf Minuten warten, wieder einschalten.")
SIGN = Phrase(
    "Look at the direction of the current clamps and at the sign in the device table. Do not start before it is right.",
    "Richtung der Stromwandler und Vorzeichen in der Gerätetabelle prüfen. Erst starten, wenn beides stimmt.")
WHOLE_METER = Phrase(
    "Look whether the meter measures the whole connection, on all phases, and in the right direction.",
    "Prüfen, ob der Zähler den ganzen Anschluss misst, auf allen Phasen und in der richtigen Richtung.")
ITS_REASONS = Phrase(
    "BMS or inverter may have its reasons: temperature, a nearly full battery, a limit of its own. Its display says so.",
    "BMS oder Wechselrichter kann Gründe haben: Temperatur, fast volle Batterie, eine eigene Grenze. Die Anzeige nennt sie.")
AIR = Phrase(
    "Give it air: fans, filters, sun on the case, other heat beside it.",
    "Für Luft sorgen: Lüfter, Filter, Sonne auf dem Gehäuse, andere Wärmequellen daneben.")
COSTS_MONEY = Phrase(
    "It harms no battery and may cost money: see to it when there is time.",
    "Es schadet keiner Batterie und kann Geld kosten: bei Gelegenheit beheben.")

# ---------------------------------------------------------------------- battery
ITS_BMS = Phrase(
    "Read the BMS's own display or app: which cell or module, and which value. Note it for service.",
    "Anzeige oder App des BMS lesen: welche Zelle oder welches Modul, welcher Wert. Für den Service notieren.")
REST = Phrase(
    "Let the battery rest: a cell that is too full falls by itself within minutes.",
    "Die Batterie ruhen lassen: Eine zu volle Zelle sinkt in Minuten von selbst.")
BALANCE = Phrase(
    "If it comes on most days the cells have drifted apart, or the charging voltage is too high: call service.",
    "Kommt es an den meisten Tagen, sind die Zellen auseinandergelaufen oder die Ladespannung ist zu hoch: Service rufen.")
FULL_CHARGE = Phrase(
    "Let the battery be charged full once, slowly: that evens out cells and sets the state of charge right.",
    "Die Batterie einmal langsam ganz voll laden: Das gleicht Zellen an und stellt den Ladestand richtig.")
NO_CHARGE = Phrase(
    "Do not charge it in any other way, not even slowly: cells that were too empty may be damaged and catch fire.",
    "Nicht auf anderem Weg laden, auch nicht langsam: Zu leere Zellen können beschädigt sein und beim Laden in Brand geraten.")
CHARGE_SOON = Phrase(
    "Charging is permitted, and helps: do not leave the battery empty for long.",
    "Laden ist erlaubt und hilft: Die Batterie nicht lange leer stehen lassen.")
WARMER = Phrase(
    "The battery has to become warmer; never warm it with a flame or a fan heater.",
    "Die Batterie muss wärmer werden; niemals mit Flamme oder Heizlüfter erwärmen.")
COOLER = Phrase(
    "The battery has to become cooler: give it rest and air, and keep other heat away.",
    "Die Batterie muss kühler werden: Ruhe und Luft geben, andere Wärme fernhalten.")
ROOM = Phrase(
    "See to the temperature of the room.",
    "Für die richtige Raumtemperatur sorgen.")
RATED = Phrase(
    "Look whether the currents in site.yaml are those of the battery, and whether another inverter uses it as well.",
    "Prüfen, ob die Ströme in site.yaml die der Batterie sind und ob noch ein Wechselrichter an ihr hängt.")
JOINT = Phrase(
    "Have the joints and cables of the battery checked: one that is loose becomes hot.",
    "Verbindungen und Kabel der Batterie prüfen lassen: Eine lose wird heiß.")
DAMP = Phrase(
    "Look for damp and for damaged cables, from outside and without touching anything.",
    "Nach Feuchte und beschädigten Kabeln sehen, von außen und ohne etwas zu berühren.")

# ---------------------------------------------------------------------- contactor
COIL = Phrase(
    "Look at the fuse and the supply of the contactor's coil, and at the cable of its feedback contact.",
    "Sicherung und Versorgung der Schützspule und das Kabel des Rückmeldekontakts prüfen.")
NOT_BY_HAND = Phrase(
    "Do not press the contactor closed by hand and do not bridge it.",
    "Das Schütz nicht von Hand schließen und nicht überbrücken.")
WELDED = Phrase(
    "Take the battery for connected: the contactor cannot be relied on. Switch the inverter off, open the disconnector.",
    "Die Batterie gilt als verbunden: Auf das Schütz ist kein Verlass. Wechselrichter ausschalten, Trenner öffnen.")
LINK_EMPTIES = Phrase(
    "Wait for ten minutes: the inverter's capacitors have to discharge before the next try.",
    "Zehn Minuten warten: Die Kondensatoren des Wechselrichters müssen sich vor dem nächsten Versuch entladen.")
LINK_LOADED = Phrase(
    "Look for what loads or shorts the DC side: another charger, a wrong cable, a second inverter.",
    "Nach einer Last oder einem Kurzschluss auf der Gleichstromseite suchen: Ladegerät, falsches Kabel, zweiter Wechselrichter.")
NEW_CONTACTOR = Phrase(
    "Have the contactor replaced in good time; delete wear.json in state_dir after that.",
    "Das Schütz rechtzeitig ersetzen lassen; danach wear.json in state_dir löschen.")

# ---------------------------------------------------------------------- computer and Holdfast
LOGS = Phrase(
    "Keep the folder log in state_dir and what `holdfast audit` shows: service needs them.",
    "Den Ordner log in state_dir und die Ausgabe von `holdfast audit` aufheben: Der Service braucht sie.")
BUSY = Phrase(
    "See what keeps the computer busy: a full disk, a failing SD card, too little memory, another program.",
    "Sehen, was den Rechner aufhält: volle Platte, sterbende SD-Karte, zu wenig Speicher, ein anderes Programm.")
CHANGED = Phrase(
    "If it began with an update or a change of site.yaml, go back to what was before.",
    "Begann es mit einem Update oder einer Änderung an site.yaml, zum Stand davor zurück.")
PROCESSES = Phrase(
    "Look whether `holdfast run` is running; it starts the watchdog again by itself.",
    "Prüfen, ob `holdfast run` läuft; es startet den Watchdog von selbst neu.")
LATCH_FILE = Phrase(
    "Do not delete the file. `holdfast audit` shows what was latched before; inspect the site for that.",
    "Die Datei nicht löschen. `holdfast audit` zeigt, was vorher verriegelt war; die Anlage darauf prüfen.")
CAME_BACK = Phrase(
    "The text says what came back again and again: follow the steps for that first.",
    "Der Text sagt, was immer wieder kam: zuerst die Schritte dafür befolgen.")
OTHER_LOOP = Phrase(
    "Look for another controller that works against it, and for a meter that is slow.",
    "Nach einem anderen Regler suchen, der dagegen arbeitet, und nach einem langsamen Zähler.")

# ---------------------------------------------------------------------- grid and loads
GRID_BACK = Phrase(
    "The grid is outside its bounds. The site is back a minute after the grid is well.",
    "Das Netz ist außerhalb seiner Grenzen. Die Anlage ist eine Minute nach dem Ende wieder da.")
GRID_OFTEN = Phrase(
    "If it comes often, tell an electrician or the grid operator.",
    "Kommt es oft, Elektriker oder Netzbetreiber benachrichtigen.")
LESS_LOAD = Phrase(
    "Switch large loads off, or a car that charges: the main fuse is near its limit.",
    "Große Verbraucher oder ein ladendes Auto abschalten: Die Hauptsicherung ist nahe ihrer Grenze.")
PV_LIMIT = Phrase(
    "PV may give more than may be fed in: set the limit in the PV inverter, too.",
    "PV liefert vielleicht mehr, als eingespeist werden darf: die Grenze auch im PV-Wechselrichter einstellen.")
SWITCH_LOAD = Phrase(
    "No safety rests on it: switch the load by hand meanwhile.",
    "Keine Sicherheit hängt daran: die Last solange von Hand schalten.")

# ---------------------------------------------------------------------- emergency stop
WHY_STOPPED = Phrase(
    "See that nobody is in danger, and find out who or what stopped the site.",
    "Sicherstellen, dass niemand in Gefahr ist, und herausfinden, wer oder was angehalten hat.")
RELEASE = Phrase(
    "Release the emergency button once its reason is gone: turn or pull it. A broken wire to it stops as well.",
    "Den Not-Halt-Taster lösen, wenn der Grund beseitigt ist: drehen oder ziehen. Auch ein Drahtbruch zum Taster hält an.")
RESET_HERE = Phrase(
    "At the site's own computer: `holdfast reset`. Nobody leads it out of a stop from afar.",
    "Am Rechner der Anlage selbst: `holdfast reset`. Aus der Ferne geht das nicht.")
THEN_START = Phrase(
    "After the self-test: `holdfast start`.",
    "Nach dem Selbsttest: `holdfast start`.")
# fmt: on
