// Holds custom resources, a JSON array on standard input, against the definitions of Prometheus Operator and KEDA: values
// against the schemas of their CRDs, and names of fields against the types made from them, since a schema alone lets
// misspelt fields pass.
import { readFileSync } from "node:fs";
import ts from "typescript";

const MODULES = {
  "keda.sh/v1alpha1": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

const resources = JSON.parse(readFileSync(0, "utf8"));
const findings = [];
const source = [];
for (const [number, resource] of resources.entries()) {
  const { apiVersion, kind, metadata } = resource;
  const module = MODULES[apiVersion];
  if (!module) throw new Error(`no definitions of ${apiVersion}`);
  const model = (await import(`${module}/${kind}`))[kind];
  try {
    new model(resource).validate();
  } catch (error) {
    findings.push(`${kind} ${metadata.name}: ${error.message}`);
  }
  source.push(`import type { I${kind} as I${number} } from "${module}/${kind}";`);
  source.push(`export const r${number}: I${number} = ${JSON.stringify(resource)};`);
}

// A file that stands in memory only, beside this one, so that it finds the same packages.
const name = new URL("resources.mts", import.meta.url).pathname;
const options = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  skipLibCheck: true,
  strict: true,
  types: [],
};
const host = ts.createCompilerHost(options);
const [read, exists] = [host.getSourceFile, host.fileExists];
host.fileExists = (path) => path === name || exists(path);
host.getSourceFile = (path, version) =>
  path === name ? ts.createSourceFile(path, source.join("\n"), version) : read(path, version);
for (const found of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
  findings.push(ts.flattenDiagnosticMessageText(found.messageText, "\n"));
}
if (findings.length > 0) {
  console.error(findings.join("\n"));
  process.exit(1);
}
console.log(`${resources.length} custom resources`);
