{{/* A volume for igpipe's configuration, one for each Secret, and the state's. */}}
{{- define "igpipe.volumes" -}}
- name: config
  configMap:
    name: {{ include "igpipe.fullname" . }}
{{- range $number, $name := .Values.secrets }}
- name: secret-{{ $number }}
  secret:
    secretName: {{ $name }}
    defaultMode: 0440
{{- end }}
{{- if not .Values.persistence.enabled }}
- name: state
  emptyDir:
    sizeLimit: 64Mi
{{- else if .Values.persistence.existingClaim }}
- name: state
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim }}
{{- end }}
{{- with .Values.pod.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "igpipe.mounts" -}}
- name: config
  mountPath: /etc/igpipe
  readOnly: true
{{- range $number, $name := .Values.secrets }}
- name: secret-{{ $number }}
  mountPath: /run/secrets/igpipe/{{ $name }}
  readOnly: true
{{- end }}
- name: state
  mountPath: /var/lib/igpipe
{{- with .Values.pod.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "igpipe.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
  scheme: {{ upper .scheme }}
periodSeconds: 10
timeoutSeconds: 5
failureThreshold: {{ .failures }}
{{- end }}

{{- define "igpipe.annotations" -}}
# A changed configuration restarts igpipe, which reads it at its start only.
checksum/config: {{ include "igpipe.file" . | sha256sum }}
{{- if and .Values.scrape.annotations (not .Values.serviceMonitor.enabled) }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ include "igpipe.port" . | quote }}
prometheus.io/path: /metrics
prometheus.io/scheme: {{ .Values.service.scheme }}
{{- end }}
{{- with .Values.pod.annotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What igpipe's Pods have in common with the one that `helm test` runs. */}}
{{- define "igpipe.security" -}}
runAsNonRoot: true
{{- with .Values.pod.user }}
runAsUser: {{ int . }}
runAsGroup: {{ int . }}
fsGroup: {{ int . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "igpipe.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- define "igpipe.pod" -}}
{{- $grace := include "igpipe.seconds" (include "igpipe.config" . | fromYaml).service.stop_grace -}}
metadata:
  labels:
    {{- include "igpipe.labels" . | nindent 4 }}
    {{- with .Values.pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- include "igpipe.annotations" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "igpipe.account" . }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  # Ten seconds more than igpipe takes at most to end its sessions and to drain its sinks.
  terminationGracePeriodSeconds: {{ $grace | float64 | ceil | int | add 10 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  nodeSelector:
    {{- merge (dict "kubernetes.io/os" "linux") .Values.pod.nodeSelector | toYaml | nindent 4 }}
  {{- with .Values.pod.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.pod.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- include "igpipe.security" . | nindent 4 }}
  containers:
    - name: igpipe
      image: {{ include "igpipe.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: ["run", "--config", "/etc/igpipe/igpipe.yaml"]
      {{- with .Values.pod.env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ include "igpipe.port" . }}
      livenessProbe:
        {{- dict "path" "/healthz" "failures" 6 "scheme" .Values.service.scheme | include "igpipe.probe" | nindent 8 }}
      readinessProbe:
        {{- dict "path" "/readyz" "failures" 1 "scheme" .Values.service.scheme | include "igpipe.probe" | nindent 8 }}
      securityContext:
        {{- include "igpipe.containerSecurity" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        {{- include "igpipe.mounts" . | nindent 8 }}
  volumes:
    {{- include "igpipe.volumes" . | nindent 4 }}
{{- end }}
