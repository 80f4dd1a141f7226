{{- define "hashward.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "hashward.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "hashward.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "hashward.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "hashward.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "hashward.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "hashward.selector" -}}
app.kubernetes.io/name: {{ include "hashward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hashward.labels" -}}
{{ include "hashward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "hashward.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* All partitions: with cooperative-sticky assignment, as many workers find work. */}}
{{- define "hashward.partitions" -}}
{{- $sum := 0 -}}
{{- range .Values.kafka.topics }}{{ $sum = add $sum (int .partitions) }}{{ end -}}
{{- $sum -}}
{{- end -}}

{{/* The settings that the values decide, as variables: they win over the file. */}}
{{- define "hashward.env" -}}
- name: HASHWARD__INSTANCE
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: HASHWARD__LOG__FORMAT, value: json}
- {name: HASHWARD__HTTP__LISTEN, value: "0.0.0.0:9464"}
- {name: HASHWARD__HTTP__INSECURE, value: "true"}
- {name: HASHWARD__ALERTS__KIND, value: kafka}
- {name: HASHWARD__ALERTS__PRINT, value: "false"}
- name: HASHWARD__KAFKA__BOOTSTRAP_SERVERS
  value: {{ .Values.kafka.bootstrapServers | toJson | quote }}
- name: HASHWARD__LISTS__FILES
  {{- $files := list }}
  {{- range .Values.lists.files }}{{ $files = append $files (printf "/etc/hashward/lists/%s" .) }}{{ end }}
  value: {{ $files | toJson | quote }}
{{- if .Values.sealKey.secretName }}
- {name: HASHWARD__LISTS__KEY_FILE, value: /etc/hashward/seal/seal.key}
{{- end }}
{{- range .Values.kafka.secretSettings }}
- name: HASHWARD__KAFKA__SETTINGS__{{ .name | upper }}
  valueFrom:
    secretKeyRef: {name: {{ .secretName | quote }}, key: {{ .secretKey | quote }}}
{{- end }}
{{- end -}}

{{/* What a pod of any kind is made of: a dict of root, kind and values. */}}
{{- define "hashward.pod" -}}
{{- $root := .root -}}
{{- $values := .values -}}
metadata:
  labels:
    {{- include "hashward.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .kind }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # Pods are made anew when their configuration changes.
    hashward.io/config-sha256: {{ $values.config | sha256sum }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "hashward.serviceAccountName" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: hashward
      image: {{ include "hashward.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [run, --config, /etc/hashward/hashward.toml]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      env:
        {{- include "hashward.env" $root | nindent 8 }}
        {{- .env | nindent 8 }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      ports:
        - {name: http, containerPort: 9464, protocol: TCP}
        {{- if eq .kind "gate" }}
        - {name: gate, containerPort: {{ $values.port }}, protocol: TCP}
        {{- end }}
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
      resources: {{ toYaml $values.resources | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/hashward/hashward.toml, subPath: hashward.toml, readOnly: true}
        - {name: state, mountPath: /var/lib/hashward}
        - {name: lists, mountPath: /etc/hashward/lists, readOnly: true}
        {{- if $root.Values.sealKey.secretName }}
        - {name: seal-key, mountPath: /etc/hashward/seal, readOnly: true}
        {{- end }}
        {{- if and (eq .kind "gate") $values.tlsSecretName }}
        - {name: tls, mountPath: /etc/hashward/tls, readOnly: true}
        {{- end }}
        {{- if and (eq .kind "gate") $values.keys.secretName }}
        - {name: keys, mountPath: /etc/hashward/keys, readOnly: true}
        {{- end }}
        {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: config
      configMap: {name: {{ include "hashward.fullname" $root }}-{{ .kind }}}
    - name: state
      emptyDir: {sizeLimit: 1Gi}
    - name: lists
      {{- required "lists.volume: expected a volume source, such as {persistentVolumeClaim: {claimName: lists}}" $root.Values.lists.volume | toYaml | nindent 6 }}
    {{- with $root.Values.sealKey }}{{ if .secretName }}
    - name: seal-key
      secret:
        secretName: {{ .secretName }}
        defaultMode: 288
        items: [{key: {{ .secretKey | quote }}, path: seal.key}]
    {{- end }}{{ end }}
    {{- if eq .kind "gate" }}
    {{- with $values.tlsSecretName }}
    - name: tls
      secret: {secretName: {{ . }}, defaultMode: 288}
    {{- end }}
    {{- with $values.keys }}{{ if .secretName }}
    - name: keys
      secret:
        secretName: {{ .secretName }}
        defaultMode: 288
        items: [{key: {{ .secretKey | quote }}, path: keys.ndjson}]
    {{- end }}{{ end }}
    {{- end }}
    {{- with $values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
  # Workers that share a host or a zone fall together.
  topologySpreadConstraints:
    {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "hashward.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.kind }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
