// Reads a TASKDATA.XML with dev4Agriculture's isoxml (npm install isoxml): what it warns of and found.
const fs = require("fs"), { ISOXMLManager } = require("isoxml");
(async () => {
  const manager = new ISOXMLManager({ version: 4 });
  await manager.parseISOXMLFile(fs.readFileSync(process.argv[2], "utf8"), "text/xml");
  const { Task, Partfield } = manager.rootElement.attributes;
  const zones = Task.map(task => (task.attributes.TreatmentZone || []).flatMap(
    zone => zone.attributes.ProcessDataVariable.map(v => v.attributes.ProcessDataValue)));
  const lines = Partfield[0].attributes.GuidanceGroup.flatMap(group =>
    group.attributes.GuidancePattern.map(pattern => pattern.attributes.LineString[0].attributes.Point
      .map(point => [point.attributes.PointEast, point.attributes.PointNorth])));
  console.log(JSON.stringify({ warnings: manager.getWarnings(), zones, lines }));
})();
